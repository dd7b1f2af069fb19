import forge from 'node-forge'
import { type DigestAlgorithm, hashBytes } from './algorithms.ts'

type Hash = DigestAlgorithm['hash']

/** Its types say nothing of it; texts are binary, a character a byte. */
interface Encoding {
  verify(digest: string, encoded: string, modulusBits: number): unknown
}

/**
 * Whether an encoded message is one of this digest: EMSA-PSS-VERIFY with MGF1 of the same hash and a
 * salt as long (https://www.rfc-editor.org/rfc/rfc8017#section-9.1.2, RFC 7518 §3.5).
 *
 * @param encoded as many bytes as the modulus has.
 */
export function verifiesPssEncoding(
  encoded: Uint8Array,
  hash: Hash,
  digest: Uint8Array,
  modulusBits: number,
): boolean {
  // One byte less where the modulus begins with a single bit, and then that byte has to be zero.
  const encodedBytes = Math.ceil((modulusBits - 1) / 8)
  if (encoded.subarray(0, -encodedBytes).some((byte) => byte !== 0)) return false
  const mgf = forge.mgf.mgf1.create(forge.md[hash].create())
  const encoding: Encoding = forge.pss.create({
    md: forge.md[hash].create(),
    mgf,
    saltLength: hashBytes[hash],
  })
  try {
    return encoding.verify(binary(digest), binary(encoded), modulusBits) === true
  } catch {
    return false
  }
}

function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
