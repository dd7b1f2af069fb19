import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { type Bytes, concatBytes } from '../../src/lib/bytes.ts'

/**
 * AES-256-GCM as NIST SP 800-38D §5.2 and §8.2.2 have it: a random 96-bit nonce, the full 128-bit
 * tag, and at most 2^32 encryptions under one key (a master key makes one per version and rekey).
 */
const cipher = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

export const aeadKeyBytes = 32

/** @returns nonce, ciphertext and tag, in this order. */
export function encrypt(key: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Bytes {
  const nonce = randomBytes(nonceBytes)
  const sealing = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes }).setAAD(aad)
  const ciphertext = sealing.update(plaintext)
  sealing.final()
  return concatBytes(nonce, ciphertext, sealing.getAuthTag())
}

/**
 * @returns the plaintext, in a buffer of its own for the caller to zero; undefined when the key, the
 *   AAD or any bit of `sealed` is another one than at encryption.
 */
export function decrypt(key: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Bytes | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined
  const nonce = sealed.subarray(0, nonceBytes)
  const opening = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes }).setAAD(aad)
  opening.setAuthTag(sealed.subarray(-tagBytes))
  const plaintext = opening.update(sealed.subarray(nonceBytes, -tagBytes))
  try {
    opening.final()
    return plaintext
  } catch {
    plaintext.fill(0) // not authentic: nobody may see it
    return undefined
  }
}
