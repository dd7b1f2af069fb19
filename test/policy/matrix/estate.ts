import type { ProfileSettings } from '../../../src/keys/key.ts'
import type { VersionState } from '../../../src/keys/lifecycle.ts'
import type { AlgorithmName } from '../../../src/signing/algorithms.ts'

/** An installation in the words of CONTRACT §2: the service is set up from it, the oracle reads it. */

export type Operation =
  | 'sign-claims'
  | 'sign-input'
  | 'sign-message'
  | 'sign-digest'
  | 'read-fingerprint'
export type Scalar = string | number | boolean

/** `{ prefix: 'tenant:' }`, as a configuration has it. */
export type RuleWords = {
  readonly const?: Scalar
  readonly oneOf?: readonly Scalar[]
  readonly prefix?: string
  readonly text?: number
  readonly fromCaller?: string
  readonly optional?: true
}

export type GrantWords = {
  readonly caller: string
  readonly key: string
  readonly operations: readonly Operation[]
  /** Seconds. */
  readonly maxLifetime?: number
  readonly noExpiry?: true
  /** A second. */
  readonly limit?: number
  readonly claims?: Readonly<Record<string, RuleWords>>
}

export type VersionWords = { readonly kid: string; readonly state: VersionState }

export type KeyWords = {
  readonly alg: AlgorithmName
  readonly profile?: ProfileSettings
  /** Numbered from 1. */
  readonly versions: readonly VersionWords[]
}

/** As a rotation leaves it: the second of three signs. */
const rotated: readonly VersionWords[] = [
  { kid: 'kid-old', state: 'retired' },
  { kid: 'kid-now', state: 'active' },
  { kid: 'kid-next', state: 'published' },
]

const app = { alg: 'RS256', versions: rotated } as const
const generic = { name: 'generic-jwt', issuer: 'https://acme.example' } as const

export const keys = {
  reports: { alg: 'ES256', versions: rotated, profile: generic },
  bot: { ...app, profile: { name: 'github-app', issuer: 'Iv23li' } },
  carbon: { ...app, profile: { name: 'icr-app', issuer: 'icr-42' } },
  blog: { ...app, profile: { name: 'contentful-app', issuer: '4XyZ' } },
  assertion: {
    alg: 'EdDSA',
    versions: rotated,
    profile: { name: 'client-assertion', clientId: 'client-1', audience: 'https://as.example' },
  },
  face: {
    alg: 'HS256',
    profile: { name: 'api-key-token' },
    versions: [
      { kid: 'id-retired', state: 'retired' },
      { kid: 'id-revoked', state: 'revoked' },
      { kid: 'id-regenerated', state: 'revoked' },
      { kid: 'id-regenerated', state: 'active' },
      { kid: 'id-second', state: 'active' },
      // One secret came back under the id of another: its last version counts.
      { kid: 'id-came-back', state: 'revoked' },
      { kid: 'id-came-back', state: 'retired' },
      { kid: 'id-early', state: 'published' },
      // Another import of it is under way.
      { kid: 'id-second', state: 'created' },
    ],
  },
  documents: { alg: 'ES256', versions: rotated },
  mac: { alg: 'HS256', versions: rotated },
  /** Granted, and nothing signs. */
  empty: { alg: 'ES256', profile: generic, versions: [{ kid: 'kid-old', state: 'retired' }] },
  /** Granted to one caller alone. */
  aside: { alg: 'ES256', versions: rotated, profile: generic },
} as const satisfies Record<string, KeyWords>

export type KeyName = keyof typeof keys

const keyNames = Object.keys(keys).filter((name): name is KeyName => Object.hasOwn(keys, name))

export function wordsOf(key: string): KeyWords | undefined {
  const name = keyNames.find((known) => known === key)
  return name && keys[name]
}

/** Callers and what authentication proved of each. */
export const callers = {
  stranger: {},
  elsewhere: {},
  reader: {},
  claimer: { repository_id: '1234' },
  presenter: { repository_id: '1234' },
  both: { repository_id: '1234' },
  /** Its grant compares with an attribute that it has not. */
  anonymous: { uri: 'spiffe://acme/blog' },
  /** A grant for each operation, each with rules of its own. */
  split: { repository_id: '1234' },
  /** Its tokens live for 100 s, and have to expire. */
  hasty: { repository_id: '1234' },
  /** One a second; its grants allow longer lives than most profiles. */
  limited: { repository_id: '1234' },
} as const satisfies Record<string, Readonly<Record<string, string>>>

export type CallerName = keyof typeof callers

const houseRules: Readonly<Record<string, RuleWords>> = {
  sub: { prefix: 'tenant:' },
  aud: { const: 'https://reports.example' },
  role: { oneOf: ['reader', 'writer', 7, true] },
  note: { text: 20, optional: true },
  repo: { fromCaller: 'repository_id' },
}

const lifetime = 900

/** What a caller may do on the keys that it has a grant for. */
function grantsOf(caller: CallerName, operations: readonly Operation[], part: Partial<GrantWords>) {
  const named = keyNames.filter((name) => name !== 'aside')
  return named.map((key): GrantWords => {
    const { profile }: KeyWords = keys[key]
    const isGeneric = profile?.name === 'generic-jwt'
    const { noExpiry, claims = houseRules, maxLifetime, limit } = part
    return {
      caller,
      key,
      operations: operations.filter((one) => isOf(one, keys[key])),
      ...(isGeneric ? { claims, maxLifetime: maxLifetime ?? lifetime } : {}),
      ...(profile && !isGeneric && maxLifetime !== undefined ? { maxLifetime } : {}),
      ...(profile?.name === 'api-key-token' && noExpiry ? { noExpiry } : {}),
      ...(limit === undefined ? {} : { limit }),
    }
  })
}

function isOf(operation: Operation, { alg, profile }: KeyWords): boolean {
  if (operation === 'read-fingerprint') return true
  if (operation === 'sign-digest') return profile === undefined && !alg.startsWith('HS')
  return (profile !== undefined) === (operation !== 'sign-message')
}

const all = [
  'sign-claims',
  'sign-input',
  'sign-message',
  'sign-digest',
  'read-fingerprint',
] as const
const claimRulesOfSplit: Readonly<Record<string, RuleWords>> = {
  sub: { const: 'claims' },
  constructor: { text: 3, optional: true as const },
}

/** One (caller, key, operation) stands in at most one of them. */
export const grants: readonly GrantWords[] = [
  ...grantsOf('reader', ['read-fingerprint'], {}),
  ...grantsOf('claimer', ['sign-claims', 'sign-message'], { noExpiry: true }),
  ...grantsOf('presenter', ['sign-input'], { noExpiry: true }),
  ...grantsOf('both', all, { noExpiry: true }),
  ...grantsOf('anonymous', all, { noExpiry: true }),
  ...grantsOf('split', ['sign-claims'], { claims: claimRulesOfSplit }),
  ...grantsOf('split', ['sign-input'], { claims: { sub: { const: 'input' } }, noExpiry: true }),
  ...grantsOf('hasty', all, { maxLifetime: 100 }),
  ...grantsOf('limited', all, { limit: 1, noExpiry: true, maxLifetime: 700 }),
  {
    caller: 'elsewhere',
    key: 'aside',
    operations: ['sign-claims', 'sign-input', 'read-fingerprint'],
    maxLifetime: lifetime,
    claims: {},
  },
]

/** The instant of every case: half a second past, so that rounding shows. */
export const nowMs = 1_800_000_000_500
export const now = 1_800_000_000
