import { createPublicKey, createSecretKey, type KeyObject, sign, verify } from 'node:crypto'
import { ServiceError } from '../errors.ts'
import type { KeyIdentity } from '../keys/identity.ts'
import type { Key } from '../keys/key.ts'
import { knownAnswerOf } from '../keys/known-answer.ts'
import { utf8 } from '../lib/bytes.ts'
import { fitSecret, type SecretChange } from '../signing/hmac-secret.ts'
import {
  algorithmMismatch,
  describeKey,
  type PublicKey,
  publicKeyFromSpki,
  spkiOf,
} from '../signing/public-key.ts'
import { isRocaWeak } from '../signing/roca.ts'
import type { KeyImporter } from '../signing/signer.ts'
import { assertExpected, type Expectation } from './expectation.ts'

export type Material = {
  /** Fit for the key, and for its vault. */
  readonly material: KeyObject
  readonly identity: KeyIdentity
  /** None for HMAC. */
  readonly publicKey: PublicKey | undefined
  readonly change: SecretChange
}

/**
 * Everything that can be found out about a key before anything is uploaded, in this order: whether it is
 * the one that was expected, whether it is good enough, whether its vault takes it.
 *
 * @throws {ServiceError} `refused`.
 */
export function checkMaterial(
  key: Key,
  given: KeyObject,
  expectations: readonly Expectation[],
  importer: KeyImporter,
): Material {
  assertKind(key, given)
  return given.type === 'secret'
    ? checkSecret(key, given, expectations, importer)
    : checkPair(key, given, expectations, importer)
}

function assertKind({ name, algorithm }: Key, given: KeyObject): void {
  const isSymmetric = given.type === 'secret'
  if (isSymmetric === (algorithm.kty === 'oct')) return
  const holds = isSymmetric ? 'a secret' : `a private key, ${describeKey(given)}`
  const wants = isSymmetric ? 'a private key' : 'a secret'
  throw refusal(`${name} signs ${algorithm.name}, which takes ${wants}: this is ${holds}`)
}

function checkPair(
  key: Key,
  given: KeyObject,
  expectations: readonly Expectation[],
  importer: KeyImporter,
): Material {
  const object = createPublicKey(given)
  // Compared before it is judged: whoever has the wrong file needs to know that first.
  if (hasFingerprints(object)) assertExpected({ object, spki: spkiOf(object) }, expectations)
  const mismatch = algorithmMismatch(object, key.algorithm)
  if (mismatch !== undefined) throw weak(key, mismatch)
  const publicKey = canonical(key, object)
  if (isRocaWeak(publicKey)) throw weak(key, 'made by a library whose keys can be computed, ROCA')
  assertHalves(given, object)
  const bits = object.asymmetricKeyDetails?.modulusLength
  if (key.modulusBits !== undefined && bits !== key.modulusBits) {
    throw weak(key, `RSA of ${bits} bits, and the configuration asks for ${key.modulusBits}`)
  }
  const refused = importer.refusal(key.algorithm.name, bits)
  if (refused !== undefined) throw cannotTake(key, refused)
  const { spki } = publicKey
  return { material: given, identity: { spki }, publicKey, change: 'none' }
}

/** A kind of key that no algorithm here uses has none, and is refused for what it is. */
function hasFingerprints(object: KeyObject): boolean {
  const { asymmetricKeyType: type } = object
  if (type === 'ec') return describeKey(object).startsWith('P-')
  return type === 'rsa' || type === 'ed25519'
}

/** The SPKI is the identity of a key pair, and has one form. */
function canonical(key: Key, object: KeyObject): PublicKey {
  try {
    return publicKeyFromSpki(spkiOf(object))
  } catch {
    const remedy = '`openssl ec -in FILE -conv_form uncompressed -out OTHER`'
    throw weak(key, `its public point is not written in full, as ${remedy} does it`)
  }
}

function checkSecret(
  key: Key,
  given: KeyObject,
  expectations: readonly Expectation[],
  importer: KeyImporter,
): Material {
  const { algorithm } = key
  if (algorithm.kty !== 'oct') throw new TypeError(`${key.name} takes no secret`)
  if (expectations.length > 0) {
    throw refusal('A secret has no public half, and no fingerprint: leave --expect away')
  }
  const refused = importer.refusal(algorithm.name, undefined)
  const limits = importer.secretLimits(algorithm.name)
  if (refused !== undefined || !limits) {
    throw cannotTake(key, refused ?? `it takes no secret of ${algorithm.name}`)
  }
  const bytes = given.export()
  const fitted = fitSecret(bytes, algorithm, limits)
  bytes.fill(0)
  if (!fitted) {
    throw cannotTake(key, `it takes secrets of ${limits.bytesMin} to ${limits.bytesMax} bytes`)
  }
  const material = createSecretKey(fitted.bytes)
  fitted.bytes.fill(0)
  const identity = { knownAnswer: knownAnswerOf(given, algorithm) }
  return { material, identity, publicKey: undefined, change: fitted.change }
}

const text = utf8('chancery proof of possession, not a JWS')

/** A file may hold a private half that is not that of the public one beside it. */
function assertHalves(privateKey: KeyObject, publicKey: KeyObject): void {
  const hash = privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  if (verify(hash, text, publicKey, signed(hash, text, privateKey))) return
  throw refusal('The private half is not that of its public one: download the key again')
}

/** OpenSSL finds out what is wrong with the numbers of a private key when it uses them, and not before. */
function signed(hash: string | null, message: Uint8Array, privateKey: KeyObject): Uint8Array {
  try {
    return sign(hash, message, privateKey)
  } catch {
    throw refusal('The private key is damaged, and cannot sign: download the key again')
  }
}

function weak({ name, algorithm }: Key, words: string): ServiceError {
  return refusal(`The key does not fit ${name}, ${algorithm.name}: ${words}. Have another one made`)
}

function cannotTake({ vault }: Key, words: string): ServiceError {
  return refusal(`The vault ${vault} cannot take this key: ${words}. Nothing was uploaded`)
}

function refusal(message: string): ServiceError {
  return new ServiceError('refused', message)
}
