import {
  constants,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  randomBytes,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import { KmsFault, validationFault } from './fault.ts'
import type { FakeKey } from './keys.ts'

/** What `GetParametersForImport` gave: for one key, one way of wrapping, and a day. */
export type ImportParameters = {
  readonly arn: string
  readonly algorithm: string
  readonly wrappingKey: KeyObject
  validTo: number
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GetParametersForImport.html */
export const wrappingAlgorithms = [
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'RSA_AES_KEY_WRAP_SHA_1',
  'RSA_AES_KEY_WRAP_SHA_256',
  'RSAES_PKCS1_V1_5',
  'SM2PKE',
] as const
export const wrappingKeySpecs = ['RSA_2048', 'RSA_3072', 'RSA_4096', 'SM2'] as const
type WrappingKeySpec = (typeof wrappingKeySpecs)[number]

/** A pair of RSA-4096 takes seconds on a busy machine, longer than a client waits: it is a fixed one. */
const fixed = readFileSync(new URL('../../vectors/wrapping-key.json', import.meta.url), 'utf8')
const wrappingKeys = new Map<WrappingKeySpec, KeyObject>([
  ['RSA_4096', createPrivateKey({ key: JSON.parse(fixed), format: 'jwk' })],
])

/** @throws {KmsFault} for a way that the key's material cannot be wrapped in. */
export function importParameters(
  key: FakeKey,
  algorithm: (typeof wrappingAlgorithms)[number],
  spec: WrappingKeySpec,
  now: number,
): { readonly token: string; readonly parameters: ImportParameters } {
  const isRsa = key.spec.startsWith('RSA')
  const isSmall = key.spec === 'ECC_NIST_P521' && spec === 'RSA_2048'
  const fits = algorithm.startsWith('RSA_AES_KEY_WRAP')
    ? isRsa || key.spec.startsWith('ECC')
    : algorithm.startsWith('RSAES_OAEP') && !isRsa && !isSmall
  if (!fits || spec === 'SM2') {
    throw new KmsFault('UnsupportedOperationException', `${key.arn}: ${algorithm} under ${spec}`)
  }
  const wrappingKey = wrappingKeys.get(spec) ?? newWrappingKey(spec)
  wrappingKeys.set(spec, wrappingKey)
  const parameters = { arn: key.arn, algorithm, wrappingKey, validTo: now + 86_400_000 }
  return { token: randomBytes(256).toString('base64'), parameters }
}

function newWrappingKey(spec: string): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: Number(spec.slice(4)) }).privateKey
}

export function wrappingPublicKey({ wrappingKey }: ImportParameters): Buffer {
  return createPublicKey(wrappingKey).export({ type: 'spki', format: 'der' })
}

/** @throws {KmsFault} `InvalidCiphertextException`. */
export function unwrapped({ algorithm, wrappingKey }: ImportParameters, material: Buffer): Buffer {
  const oaepHash = algorithm.endsWith('SHA_256') ? 'sha256' : 'sha1'
  const decrypt = (bytes: Buffer) => {
    const padding = constants.RSA_PKCS1_OAEP_PADDING
    return privateDecrypt({ key: wrappingKey, padding, oaepHash }, bytes)
  }
  try {
    if (algorithm.startsWith('RSAES')) return decrypt(material)
    const wrappedBytes = (wrappingKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8
    const kek = decrypt(material.subarray(0, wrappedBytes))
    const iv = Buffer.from('A65959A6', 'hex') // RFC 5649 §3
    const decipher = createDecipheriv(`id-aes${kek.length * 8}-wrap-pad`, kek, iv)
    return Buffer.concat([decipher.update(material.subarray(wrappedBytes)), decipher.final()])
  } catch {
    throw new KmsFault('InvalidCiphertextException', 'the material cannot be decrypted')
  }
}

/** https://github.com/localstack/localstack, services/kms/models.py: AWS names no numbers. */
const secretBytes: Readonly<Record<string, readonly [number, number]>> = {
  HMAC_256: [32, 64],
  HMAC_384: [48, 128],
  HMAC_512: [64, 128],
}

const kinds: Readonly<Record<string, string>> = {
  ECC_NIST_P256: 'prime256v1',
  ECC_NIST_P384: 'secp384r1',
  ECC_NIST_P521: 'secp521r1',
  ECC_SECG_P256K1: 'secp256k1',
  ECC_NIST_EDWARDS25519: 'ed25519',
}

/** @throws {KmsFault} `IncorrectKeyMaterialException` for what is no material of the key's spec. */
export function materialOf({ spec, arn }: FakeKey, bytes: Buffer): KeyObject {
  const incorrect = () => new KmsFault('IncorrectKeyMaterialException', `no material of ${arn}`)
  if (spec.startsWith('HMAC')) {
    const [least, most] = secretBytes[spec] ?? [0, 0]
    if (bytes.length < least || bytes.length > most) throw incorrect()
    return createSecretKey(bytes)
  }
  const key = privateKey(bytes)
  const { modulusLength, namedCurve } = key?.asymmetricKeyDetails ?? {}
  const kind = spec.startsWith('RSA')
    ? `RSA_${modulusLength}`
    : (namedCurve ?? key?.asymmetricKeyType)
  if (!key || kind !== (kinds[spec] ?? spec)) throw incorrect()
  return key
}

function privateKey(der: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  } catch {
    return undefined
  }
}

/** Whether it expires, and when: the default is that it does, and then a time is needed. */
export function assertExpiration(model: string, validTo: number | undefined): void {
  const expires = model === 'KEY_MATERIAL_EXPIRES'
  if (expires === (validTo !== undefined)) return
  throw validationFault(`ValidTo and ExpirationModel ${model} do not go together`)
}
