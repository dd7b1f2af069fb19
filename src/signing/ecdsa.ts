import { p256, p384, p521 } from '@noble/curves/nist.js'
import { ServiceError } from '../errors.ts'
import type { Bytes } from '../lib/bytes.ts'
import type { Algorithm } from './algorithms.ts'

type EcAlgorithm = Extract<Algorithm, { kty: 'EC' }>

const curves = { 'P-256': p256, 'P-384': p384, 'P-521': p521 } as const

/**
 * DER ECDSA-Sig-Value to r || s (RFC 7518 §3.4). Strict: no trailing bytes, negatives, zeros or
 * padding are let through.
 *
 * @throws {ServiceError} `signature_invalid`.
 */
export function derToJose(der: Uint8Array, { crv }: EcAlgorithm): Bytes {
  try {
    return new Uint8Array(curves[crv].Signature.fromBytes(der, 'der').toBytes('compact'))
  } catch (cause) {
    throw new ServiceError('signature_invalid', 'The vault answered a bad signature', { cause })
  }
}

/**
 * Whether r || s verifies over a digest, as it is: Node would hash it again. Either of the two values of
 * s is taken, as every verifier of JOSE does. In JavaScript, and not quick: 3 ms on P-256, 9 on P-384,
 * 16 on P-521.
 *
 * @param spki canonical, and therefore with the uncompressed point at its end.
 */
export function verifiesEcdsaDigest(
  spki: Uint8Array,
  { crv, coordinateBytes }: EcAlgorithm,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 2 * coordinateBytes) return false
  const point = spki.subarray(-(1 + 2 * coordinateBytes))
  const asItIs = { prehash: false, lowS: false, format: 'compact' } as const
  return curves[crv].verify(signature, digest, point, asItIs)
}

/** r || s to DER, for verifiers that want that form; undefined unless both are scalars of the curve. */
export function joseToDer(signature: Uint8Array, { crv }: EcAlgorithm): Bytes | undefined {
  try {
    return new Uint8Array(curves[crv].Signature.fromBytes(signature, 'compact').toBytes('der'))
  } catch {
    return undefined
  }
}
