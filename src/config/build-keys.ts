import type { Key, KeyName } from '../keys/key.ts'
import { algorithm, type Algorithm } from '../signing/algorithms.ts'
import type { Complaints } from './complaints.ts'
import type { KeyEntry } from './schema.ts'

const defaultModulusBits = 3072

/** https://www.contentful.com/developers/docs/extensibility/app-framework/app-keys/ takes RSA-4096. */
const contentfulModulusBits = 4096

/** Profiles of registries that verify nothing but RS256. */
const rs256Profiles: readonly string[] = ['github-app', 'icr-app', 'contentful-app']

/** Checks one key against itself and its vault, and fills in the defaults. */
export function buildKey(
  name: KeyName,
  entry: KeyEntry,
  knowsVault: (vault: string) => boolean,
  complaints: Complaints,
): Key {
  const complain = (member: string, message: string) =>
    complaints.add(['keys', name, member], message)
  if (!knowsVault(entry.vault)) complain('vault', 'no such vault: name one of vaults')
  const row = algorithm(entry.alg)
  if (entry.modulusBits !== undefined && row.kty !== 'RSA') {
    complain('modulusBits', `${row.name} has no modulus: remove modulusBits`)
  }
  checkPurpose(entry, row, complain)
  return {
    name,
    vault: entry.vault,
    algorithm: row,
    modulusBits: row.kty === 'RSA' ? modulusBits(entry) : undefined,
    purpose: entry.purpose,
    profile: entry.profile,
    source: entry.source,
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
  if (kty === 'oct')
    complain('alg', `${name} is for keys of purpose bytes: whoever verifies it can forge it`)
  else if (rs256Profiles.includes(profile.name) && name !== 'RS256') {
    complain('alg', `profile ${profile.name} needs RS256`)
  }
}

function modulusBits({ modulusBits: asked, profile }: KeyEntry): number {
  return asked ?? (profile?.name === 'contentful-app' ? contentfulModulusBits : defaultModulusBits)
}
