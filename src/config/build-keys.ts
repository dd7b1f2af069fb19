import type { Key, KeyName, KeyRegistry } from '../keys/key.ts'
import { algorithm, type Algorithm, type AlgorithmName } from '../signing/algorithms.ts'
import type { Complaints } from './complaints.ts'
import type { KeyEntry } from './schema.ts'

const defaultModulusBits = 3072

/** https://www.contentful.com/developers/docs/extensibility/app-framework/app-keys/ takes RSA-4096. */
const contentfulModulusBits = 4096

/** Profiles of registries that verify nothing but RS256. */
const rs256Profiles: readonly string[] = ['github-app', 'icr-app', 'contentful-app']

export type KeySurroundings = {
  readonly knows: (section: 'vaults' | 'registries', name: string) => boolean
  /** Of a vault that is configured without a fault. */
  readonly signsNot: (vault: string) => readonly AlgorithmName[]
}

/** Checks one key against itself and its vault, and fills in the defaults. */
export function buildKey(
  name: KeyName,
  entry: KeyEntry,
  { knows, signsNot }: KeySurroundings,
  complaints: Complaints,
): Key {
  const complain = (member: string, message: string) =>
    complaints.add(['keys', name, member], message)
  if (!knows('vaults', entry.vault)) complain('vault', 'no such vault: name one of vaults')
  const row = algorithm(entry.alg)
  if (entry.modulusBits !== undefined && row.kty !== 'RSA') {
    complain('modulusBits', `${row.name} has no modulus: remove modulusBits`)
  }
  if (signsNot(entry.vault).includes(row.name)) {
    complain('alg', `vault ${entry.vault} signs no ${row.name}: choose another of either`)
  }
  checkPurpose(entry, row, complain)
  checkSource(entry, complain)
  checkRegistry(entry, (registry) => knows('registries', registry), complain)
  return {
    name,
    vault: entry.vault,
    algorithm: row,
    modulusBits: row.kty === 'RSA' ? modulusBits(entry) : undefined,
    purpose: entry.purpose,
    profile: entry.profile,
    registry: entry.registry && keyRegistry(entry.registry),
    source: entry.source,
    methods: entry.methods ?? [],
  }
}

function checkPurpose(
  { purpose, profile }: KeyEntry,
  { name, kty }: Algorithm,
  complain: (member: string, message: string) => void,
): void {
  if (purpose === 'bytes') {
    if (profile) complain('profile', 'a key of purpose bytes has no profile: remove it')
    return
  }
  if (!profile) {
    complain(
      'profile',
      'a key of purpose jwt needs a profile, like { name: generic-jwt, issuer: … }',
    )
    return
  }
  if (profile.name === 'api-key-token') {
    if (name !== 'HS256') complain('alg', 'profile api-key-token needs HS256')
  } else if (kty === 'oct') {
    const message = `${name} is for api-key-token and for keys of purpose bytes: whoever verifies it can forge it`
    complain('alg', message)
  } else if (rs256Profiles.includes(profile.name) && name !== 'RS256') {
    complain('alg', `profile ${profile.name} needs RS256`)
  }
}

function keyRegistry(entry: NonNullable<KeyEntry['registry']>): KeyRegistry {
  if ('app' in entry) return { kind: 'app', registry: entry.name, app: entry.app }
  return { kind: 'manual', system: entry.system, url: entry.url }
}

function checkRegistry(
  { registry, purpose, profile, source }: KeyEntry,
  knowsRegistry: (name: string) => boolean,
  complain: (member: string, message: string) => void,
): void {
  if (!registry) {
    if (profile?.name === 'contentful-app') {
      complain('registry', 'profile contentful-app needs a registry, like { name: apps, app: … }')
    }
    return
  }
  if (purpose === 'bytes') {
    complain('registry', 'a key of purpose bytes has no registry: raw bytes would mint any token')
  } else if (profile?.name === 'api-key-token') {
    complain('registry', 'a secret is told to nobody: remove it')
  } else if ('app' in registry) {
    if (!knowsRegistry(registry.name))
      complain('registry', 'no such registry: name one of registries')
  } else {
    checkManual(profile, source, complain)
  }
}

function checkManual(
  profile: KeyEntry['profile'],
  source: KeyEntry['source'],
  complain: (member: string, message: string) => void,
): void {
  if (profile?.name === 'contentful-app') {
    complain('registry', 'profile contentful-app needs an app, like { name: apps, app: … }')
  }
  if (source !== 'imported') {
    complain('source', 'a manual registry makes the key itself: source: imported')
  }
}

/** The portal makes the secret of an API key, and shows it once. */
function checkSource(
  { source, profile, methods }: KeyEntry,
  complain: (member: string, message: string) => void,
): void {
  const isApiKey = profile?.name === 'api-key-token'
  if (isApiKey && source !== 'imported') {
    complain(
      'source',
      'profile api-key-token needs source: imported, since its portal makes the secret',
    )
  }
  if (!isApiKey && methods) complain('methods', 'only keys of profile api-key-token have methods')
}

/** Of an imported key the size is as its maker has it, unless the configuration insists on one. */
function modulusBits({ modulusBits: asked, profile, source }: KeyEntry): number | undefined {
  if (asked !== undefined) return asked
  if (profile?.name === 'contentful-app') return contentfulModulusBits
  return source === 'imported' ? undefined : defaultModulusBits
}
