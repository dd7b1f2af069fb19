import { hash } from 'node:crypto'
import { type Bytes, concatBytes } from '../lib/bytes.ts'
import type { MacAlgorithm } from './algorithms.ts'
import type { SecretLimits } from './signer.ts'

/** A block of the hash, which HMAC computes with: https://www.rfc-editor.org/rfc/rfc2104#section-2 */
export const hmacBlockBytes = { sha256: 64, sha384: 128, sha512: 128 } as const

/** How a secret was changed without becoming another one. */
export type SecretChange = 'none' | 'padded' | 'hashed'

export type FittedSecret = { readonly bytes: Bytes; readonly change: SecretChange }

/**
 * A secret of a length that a vault takes, equal in every MAC: RFC 2104 §2 fills a short one up with
 * zeros, and takes the hash of one that is longer than a block.
 *
 * @param secret stays as it is; what is returned is a copy, for the caller to zero.
 * @returns undefined when no equal secret lies within the limits.
 */
export function fitSecret(
  secret: Uint8Array,
  { hash: name }: MacAlgorithm,
  { bytesMin, bytesMax }: SecretLimits,
): FittedSecret | undefined {
  const isFitting = secret.length >= bytesMin && secret.length <= bytesMax
  if (isFitting) return { bytes: new Uint8Array(secret), change: 'none' }
  const isLong = secret.length > hmacBlockBytes[name]
  const short = isLong ? new Uint8Array(hash(name, secret, 'buffer')) : secret
  if (short.length > bytesMax || bytesMin > hmacBlockBytes[name]) return undefined
  const filling = new Uint8Array(Math.max(0, bytesMin - short.length))
  return { bytes: concatBytes(short, filling), change: isLong ? 'hashed' : 'padded' }
}
