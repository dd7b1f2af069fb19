import { constants, publicDecrypt } from 'node:crypto'
import { type Bytes, equalBytes } from '../lib/bytes.ts'
import { type DigestAlgorithm, digestBytes } from './algorithms.ts'
import { digestInfo } from './digest-info.ts'
import { verifiesEcdsaDigest } from './ecdsa.ts'
import type { PublicKey } from './public-key.ts'

type RsaAlgorithm = Extract<DigestAlgorithm, { kty: 'RSA' }>

/**
 * Whether a JOSE-form signature verifies over a digest. Node's own verifying always hashes, so each kind
 * is checked by what stands below it; in the main thread, ECDSA for milliseconds.
 *
 * @param digest of the algorithm's own hash; of another length nothing verifies.
 */
export async function verifiesDigest(
  key: PublicKey,
  algorithm: DigestAlgorithm,
  digest: Bytes,
  signature: Uint8Array,
): Promise<boolean> {
  if (digest.length !== digestBytes(algorithm)) return false
  if (algorithm.kty === 'EC') return verifiesEcdsaDigest(key.spki, algorithm, digest, signature)
  if (algorithm.padding === 'pss') return verifiesPss(key, algorithm, digest, signature)
  const encoded = decrypted(key, constants.RSA_PKCS1_PADDING, signature)
  return encoded !== undefined && equalBytes(encoded, digestInfo(algorithm.hash, digest))
}

/** RSAVP1 (RFC 8017 §5.2.2), and what PKCS#1 pads taken off; undefined for what cannot be a signature. */
function decrypted(
  { object }: PublicKey,
  padding: number,
  signature: Uint8Array,
): Uint8Array | undefined {
  // OpenSSL takes shorter ones for numbers with zeros in front.
  if (signature.length !== Math.ceil(modulusBitsOf(object) / 8)) return undefined
  try {
    return publicDecrypt({ key: object, padding }, signature)
  } catch {
    return undefined
  }
}

function modulusBitsOf({ asymmetricKeyDetails }: PublicKey['object']): number {
  return asymmetricKeyDetails?.modulusLength ?? 0
}

/** EMSA-PSS-VERIFY (RFC 8017 §9.1.2), with a salt of exactly the hash's length (RFC 7518 §3.5). */
async function verifiesPss(
  key: PublicKey,
  algorithm: RsaAlgorithm,
  digest: Bytes,
  signature: Uint8Array,
): Promise<boolean> {
  const encoded = decrypted(key, constants.RSA_NO_PADDING, signature)
  if (!encoded) return false
  // 25 ms of loading, for whoever has such keys and signs digests with them.
  const { verifiesPssEncoding } = await import('./pss-encoding.ts')
  return verifiesPssEncoding(encoded, algorithm.hash, digest, modulusBitsOf(key.object))
}
