import {
  createPublicKey,
  generateKeyPairSync,
  generateKeySync,
  type KeyObject,
  randomUUID,
} from 'node:crypto'
import { KmsFault } from './fault.ts'

export const account = '111122223333'
export const region = 'eu-central-1'
/** Whose key it is, the access key's id says; this goes with each. */
export const accountSecret = 'a-secret'

/** https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html */
const rsaAlgorithms = ['PKCS1_V1_5', 'PSS'].flatMap((padding) =>
  [256, 384, 512].map((bits) => `RSASSA_${padding}_SHA_${bits}`),
)
export const algorithmsOf: Readonly<Record<string, readonly string[]>> = {
  RSA_2048: rsaAlgorithms,
  RSA_3072: rsaAlgorithms,
  RSA_4096: rsaAlgorithms,
  ECC_NIST_P256: ['ECDSA_SHA_256'],
  ECC_NIST_P384: ['ECDSA_SHA_384'],
  ECC_NIST_P521: ['ECDSA_SHA_512'],
  ECC_SECG_P256K1: ['ECDSA_SHA_256'],
  ECC_NIST_EDWARDS25519: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'],
  HMAC_256: ['HMAC_SHA_256'],
  HMAC_384: ['HMAC_SHA_384'],
  HMAC_512: ['HMAC_SHA_512'],
  SYMMETRIC_DEFAULT: [],
}

/** A key as the vault's owner sees it; tests change what an administrator, or time, would. */
export type FakeKey = {
  readonly arn: string
  readonly id: string
  readonly spec: string
  /** Of origin EXTERNAL, and never given: none. What was given once is the only one that it ever takes. */
  secret: KeyObject | undefined
  readonly tags: readonly { readonly TagKey: string; readonly TagValue: string }[]
  readonly description: string
  usage: string
  state: string
  origin: string
  manager: string
  multiRegion: boolean
  /** What it says it signs; what its spec can do, unless a test says otherwise. */
  algorithms: readonly string[]
  /** Epoch seconds. */
  createdSeconds: number
  deletionDate: number | undefined
  /** Its own policy forbids everything to whoever asks. */
  isForbidden: boolean
  /** How often it is still not found, and not listed. */
  hiddenReads: number
  hiddenLists: number
}

export function newFakeKey(spec: string, part: Partial<FakeKey> = {}): FakeKey {
  const id = randomUUID()
  const isMac = spec.startsWith('HMAC')
  return {
    arn: `arn:aws:kms:${region}:${account}:key/${id}`,
    id,
    spec,
    secret: part.secret ?? (part.state === 'PendingImport' ? undefined : newSecret(spec)),
    tags: [],
    description: '',
    usage: isMac ? 'GENERATE_VERIFY_MAC' : 'SIGN_VERIFY',
    state: 'Enabled',
    origin: 'AWS_KMS',
    manager: 'CUSTOMER',
    multiRegion: false,
    algorithms: algorithmsOf[spec] ?? [],
    createdSeconds: 1_795_000_000,
    deletionDate: undefined,
    isForbidden: false,
    hiddenReads: 0,
    hiddenLists: 0,
    ...part,
  }
}

const curves: Readonly<Record<string, string>> = {
  ECC_NIST_P256: 'P-256',
  ECC_NIST_P384: 'P-384',
  ECC_NIST_P521: 'P-521',
  ECC_SECG_P256K1: 'secp256k1',
}

function newSecret(spec: string): KeyObject {
  const namedCurve = curves[spec]
  if (namedCurve !== undefined) return generateKeyPairSync('ec', { namedCurve }).privateKey
  if (spec === 'ECC_NIST_EDWARDS25519') return generateKeyPairSync('ed25519').privateKey
  const size = Number(spec.split('_')[1])
  if (spec.startsWith('RSA_')) {
    return generateKeyPairSync('rsa', { modulusLength: size }).privateKey
  }
  return generateKeySync('hmac', { length: Number.isNaN(size) ? 256 : size })
}

/** @throws {KmsFault} `KMSInvalidStateException` for a key that was never given any. */
export function secretOf({ secret, arn }: FakeKey): KeyObject {
  if (secret) return secret
  throw new KmsFault('KMSInvalidStateException', `${arn} has no material.`)
}

export function spkiOf(key: FakeKey): Buffer {
  return createPublicKey(secretOf(key)).export({ type: 'spki', format: 'der' })
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html */
export function metadataOf(key: FakeKey): object {
  const isMac = key.usage === 'GENERATE_VERIFY_MAC'
  const isSigning = key.usage === 'SIGN_VERIFY'
  return {
    AWSAccountId: account,
    Arn: key.arn,
    CreationDate: key.createdSeconds,
    CustomerMasterKeySpec: key.spec,
    Description: key.description,
    Enabled: key.state === 'Enabled',
    KeyId: key.id,
    KeyManager: key.manager,
    KeySpec: key.spec,
    KeyState: key.state,
    KeyUsage: key.usage,
    MultiRegion: key.multiRegion,
    Origin: key.origin,
    ...(key.origin === 'EXTERNAL' && key.state !== 'PendingImport'
      ? { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
      : {}),
    ...(key.deletionDate === undefined ? {} : { DeletionDate: key.deletionDate }),
    ...(isMac ? { MacAlgorithms: key.algorithms } : {}),
    ...(isSigning ? { SigningAlgorithms: key.algorithms } : {}),
  }
}
