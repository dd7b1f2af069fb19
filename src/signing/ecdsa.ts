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

/** r || s to DER, for verifiers that want that form; undefined unless both are scalars of the curve. */
export function joseToDer(signature: Uint8Array, { crv }: EcAlgorithm): Bytes | undefined {
  try {
    return new Uint8Array(curves[crv].Signature.fromBytes(signature, 'compact').toBytes('der'))
  } catch {
    return undefined
  }
}
