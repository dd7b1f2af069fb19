import type { Grant } from '../../src/policy/grant.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import { grantOn, keyOf, profileSettings } from './grant.ts'
import { memoryKey } from './memory-key.ts'
import { type Held, heldVersion, type ServiceSetting } from './signing-service.ts'
import { type WatchedSigner, watchedSigner } from './watched-signer.ts'

const jwtKey = (name: string, profile: keyof typeof profileSettings = 'generic-jwt') =>
  keyOf(name, {
    profile: profileSettings[profile],
    algorithm: algorithm(profile === 'generic-jwt' ? 'ES256' : 'RS256'),
  })

/** The keys of one small installation: one for each thing that a request can meet. */
export const houseKeys = {
  reports: jwtKey('reports'),
  bot: jwtKey('bot', 'github-app'),
  documents: keyOf('documents'),
  mac: keyOf('mac', { algorithm: algorithm('HS256') }),
  /** May be read, and not used. */
  readable: jwtKey('readable'),
  /** One request a second. */
  limited: jwtKey('limited'),
  /** Granted, and without a version. */
  empty: jwtKey('empty'),
  /** Another caller's. */
  hidden: jwtKey('hidden'),
}

const subject = {
  claim: 'sub',
  optional: false,
  check: { kind: 'text', charactersMax: 8 },
} as const
const role = {
  claim: 'role',
  optional: true,
  check: { kind: 'oneOf', values: ['reader'] },
} as const

const jwtGrant: Partial<Grant> = {
  operations: ['sign-claims', 'sign-input', 'read-fingerprint'],
  lifetimeSecondsMax: 900,
  claims: [subject, role],
}

const bytesGrant: Partial<Grant> = { operations: ['sign-message', 'read-fingerprint'] }

/** `mac` has no digest. */
const documentsGrant: Partial<Grant> = {
  operations: ['sign-message', 'sign-digest', 'read-fingerprint'],
}

const houseGrants: readonly Grant[] = [
  grantOn(houseKeys.reports, jwtGrant),
  grantOn(houseKeys.bot, { operations: ['sign-claims', 'sign-input'] }),
  grantOn(houseKeys.documents, documentsGrant),
  grantOn(houseKeys.mac, bytesGrant),
  grantOn(houseKeys.readable, { operations: ['read-fingerprint'] }),
  grantOn(houseKeys.limited, { ...jwtGrant, limitPerSecond: 1 }),
  grantOn(houseKeys.empty, jwtGrant),
  grantOn(houseKeys.hidden, { ...jwtGrant, caller: 'other-app' }),
].map((grant, index) => ({ ...grant, name: `grants[${index}]` }))

/** Every key but `empty` has one active version; the vault of `reports` is in the test's hands. */
export function house(): ServiceSetting & { readonly vault: WatchedSigner } {
  const vault = watchedSigner(memoryKey('ES256').signer)
  const { reports, empty: _, ...others } = houseKeys
  const held: readonly Held[] = [
    heldVersion(reports, { signer: vault }),
    ...Object.values(others).map((key) => heldVersion(key)),
  ]
  return { held, grants: houseGrants, vault }
}

/** Claims that the grant on `reports` allows. */
export const goodClaims = { claims: { sub: '42' } }
