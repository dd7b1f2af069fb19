import { createPublicKey, type KeyObject } from 'node:crypto'
import { ServiceError } from '../errors.ts'
import { type Bytes, equalBytes } from '../lib/bytes.ts'
import { type Algorithm, modulusBitsMax, modulusBitsMin } from './algorithms.ts'

/** Node's names for the JWA curves. https://nodejs.org/api/crypto.html#keyobjectasymmetrickeydetails */
const nodeCurves = { 'P-256': 'prime256v1', 'P-384': 'secp384r1', 'P-521': 'secp521r1' } as const

const publicExponent = 65_537n

/** Parsed once and kept: a PEM or DER parsed per call would double the cost of a signature. */
export type PublicKey = {
  /** DER SubjectPublicKeyInfo, in Node's own encoding. */
  readonly spki: Bytes
  readonly object: KeyObject
}

/**
 * DER SubjectPublicKeyInfo as a key. Only the canonical encoding is taken: the SPKI is the identity
 * of a key pair, and every fingerprint is a digest of it.
 *
 * @throws {ServiceError} `vault_key_unusable`.
 */
export function publicKeyFromSpki(spki: Uint8Array): PublicKey {
  try {
    const object = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    const canonical = spkiOf(inOneForm(object))
    if (!equalBytes(canonical, spki)) throw new TypeError('not the canonical SPKI encoding')
    return { spki: canonical, object }
  } catch (cause) {
    throw new ServiceError('vault_key_unusable', 'The public key cannot be read', { cause })
  }
}

/** Node keeps the form an EC point came in, compressed or not; from coordinates it makes only one. */
function inOneForm(object: KeyObject): KeyObject {
  if (object.asymmetricKeyType !== 'ec') return object
  return createPublicKey({ key: object.export({ format: 'jwk' }), format: 'jwk' })
}

export function spkiOf(object: KeyObject): Bytes {
  return new Uint8Array(object.export({ type: 'spki', format: 'der' }))
}

/**
 * One algorithm per key: says why this key may not be used with the algorithm, or undefined.
 * RSA needs 2048 to 8192 bits and e = 65537; a key typed rsa-pss is refused (it signs no RS256).
 * A secret is at least as long as the hash: https://www.rfc-editor.org/rfc/rfc7518#section-3.2
 */
export function algorithmMismatch(object: KeyObject, algorithm: Algorithm): string | undefined {
  const { modulusLength = 0, publicExponent: e, namedCurve } = object.asymmetricKeyDetails ?? {}
  switch (algorithm.kty) {
    case 'RSA':
      if (object.asymmetricKeyType !== 'rsa') return 'not an RSA key'
      if (modulusLength < modulusBitsMin) return `RSA smaller than ${modulusBitsMin} bits`
      if (modulusLength > modulusBitsMax) return `RSA larger than ${modulusBitsMax} bits`
      return e === publicExponent ? undefined : 'RSA with an exponent other than 65537'
    case 'EC':
      if (object.asymmetricKeyType !== 'ec') return 'not an EC key'
      return namedCurve === nodeCurves[algorithm.crv] ? undefined : `not on ${algorithm.crv}`
    case 'OKP':
      return object.asymmetricKeyType === 'ed25519' ? undefined : 'not an Ed25519 key'
    case 'oct': {
      if (object.type !== 'secret') return 'not a secret'
      const isShort = (object.symmetricKeySize ?? 0) < algorithm.macBytes
      return isShort ? `a secret shorter than ${algorithm.macBytes} bytes` : undefined
    }
  }
}

/** @throws {ServiceError} `vault_key_unusable` when the key is not what the algorithm needs. */
export function assertFits(object: KeyObject, algorithm: Algorithm): void {
  const mismatch = algorithmMismatch(object, algorithm)
  if (mismatch === undefined) return
  throw new ServiceError(
    'vault_key_unusable',
    `The key does not fit ${algorithm.name}: ${mismatch}`,
  )
}

/** The kind of a key, in words: `RSA-3072`, `P-256`, `Ed25519`. */
export function describeKey(object: KeyObject): string {
  const { modulusLength, namedCurve } = object.asymmetricKeyDetails ?? {}
  const curve = Object.entries(nodeCurves).find(([, name]) => name === namedCurve)?.[0]
  if (modulusLength !== undefined) return `RSA-${modulusLength}`
  return curve ?? (object.asymmetricKeyType === 'ed25519' ? 'Ed25519' : 'another kind of key')
}
