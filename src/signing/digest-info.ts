import { type Bytes, concatBytes, decodeHex } from '../lib/bytes.ts'
import type { DigestAlgorithm } from './algorithms.ts'

/**
 * What stands before the digest in a DigestInfo, DER.
 * https://www.rfc-editor.org/rfc/rfc8017#section-9.2, note 1.
 */
const prefixes = {
  sha256: decodeHex('3031300d060960864801650304020105000420'),
  sha384: decodeHex('3041300d060960864801650304020205000430'),
  sha512: decodeHex('3051300d060960864801650304020305000440'),
} as const satisfies Record<DigestAlgorithm['hash'], Bytes>

/** What RSASSA-PKCS1-v1_5 pads and encrypts (RFC 8017 §9.2, T). */
export function digestInfo(hash: DigestAlgorithm['hash'], digest: Uint8Array): Bytes {
  return concatBytes(prefixes[hash], digest)
}
