import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'

/** A version as the vault's owner sees it; tests change what an administrator, or time, would. */
export type FakeVersion = {
  readonly name: string
  readonly version: string
  readonly id: string
  readonly secret: KeyObject
  readonly createdSeconds: number
  kty: string
  crv: string | undefined
  keyOps: readonly string[]
  enabled: boolean
  exportable: boolean
  expiresSeconds: number | undefined
  notBeforeSeconds: number | undefined
  managed: boolean
  releasePolicy: object | undefined
  tags: Readonly<Record<string, string>>
  /** How often it is still not found, and not listed. */
  hiddenReads: number
  hiddenLists: number
  /** What it says of its public half, where a test has it say something else. */
  shownJwk: Readonly<Record<string, string>> | undefined
}

export type NewVersion = Partial<FakeVersion> & { readonly name: string; readonly origin: string }

/** The vault counts in creations: two in one second are still one after the other. */
let created = 1_795_000_000

export function newVersion({ name, origin, ...part }: NewVersion): FakeVersion {
  const version = randomBytes(16).toString('hex')
  const secret = part.secret ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const jwk = createPublicKey(secret).export({ format: 'jwk' })
  created += 1
  return {
    name,
    version,
    id: `${origin}/keys/${name}/${version}`,
    secret,
    createdSeconds: created,
    kty: jwk.kty ?? '',
    crv: jwk.crv,
    keyOps: ['sign', 'verify'],
    enabled: true,
    exportable: false,
    expiresSeconds: undefined,
    notBeforeSeconds: undefined,
    managed: false,
    releasePolicy: undefined,
    tags: {},
    hiddenReads: 0,
    hiddenLists: 0,
    shownJwk: undefined,
    ...part,
  }
}

/** https://learn.microsoft.com/rest/api/keyvault/keys/create-key/create-key: what is made for a request. */
export function newSecret(kty: string, size: number | undefined, crv: string | undefined) {
  if (kty.startsWith('RSA')) return generateKeyPairSync('rsa', { modulusLength: size ?? 2048 })
  return generateKeyPairSync('ec', {
    namedCurve: crv === 'P-256K' ? 'secp256k1' : (crv ?? 'P-256'),
  })
}

export function attributesOf(version: FakeVersion): object {
  return {
    enabled: version.enabled,
    ...(version.expiresSeconds === undefined ? {} : { exp: version.expiresSeconds }),
    ...(version.notBeforeSeconds === undefined ? {} : { nbf: version.notBeforeSeconds }),
    created: version.createdSeconds,
    updated: version.createdSeconds,
    recoveryLevel: 'Recoverable+Purgeable',
    recoverableDays: 90,
    exportable: version.exportable,
  }
}

/** https://learn.microsoft.com/rest/api/keyvault/keys/get-key/get-key#keybundle: never a private member. */
export function bundleOf(version: FakeVersion): object {
  const { n, e, x, y } = createPublicKey(version.secret).export({ format: 'jwk' })
  const members = version.shownJwk ?? (n === undefined ? { crv: version.crv, x, y } : { n, e })
  return {
    key: { kid: version.id, kty: version.kty, key_ops: version.keyOps, ...members },
    attributes: attributesOf(version),
    ...(Object.keys(version.tags).length === 0 ? {} : { tags: version.tags }),
    ...(version.managed ? { managed: true } : {}),
    ...(version.releasePolicy ? { release_policy: version.releasePolicy } : {}),
  }
}

export function itemOf(version: FakeVersion, kid: string): object {
  return { kid, attributes: attributesOf(version), tags: version.tags }
}
