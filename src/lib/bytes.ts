import { timingSafeEqual } from 'node:crypto'
import { ServiceError } from '../errors.ts'

/** Raw bytes; never text, never base64. */
export type Bytes = Uint8Array<ArrayBuffer>

export type ByteEncoding = 'base64' | 'base64url' | 'hex'

/** @returns base64 with padding, base64url without, hex in lower case. */
export function encodeBytes(bytes: Uint8Array, encoding: ByteEncoding): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding)
}

export function utf8(text: string): Bytes {
  return new Uint8Array(Buffer.from(text, 'utf8'))
}

/**
 * Strict base64 or base64url (RFC 4648): one alphabet per text, padding absent or exact, no stray
 * bits, no white space. `Buffer.from` accepts all of these, so the text is encoded again and compared.
 *
 * @throws {ServiceError} `malformed_request`; the message does not echo the text.
 */
export function decodeBase64(text: string): Bytes {
  const encoding = /[-_]/.test(text) ? 'base64url' : 'base64'
  const bytes = Buffer.from(text, encoding)
  const unpadded = bytes.toString(encoding).replace(/=+$/, '')
  const padded = unpadded + '='.repeat((4 - (unpadded.length % 4)) % 4)
  if (text !== unpadded && text !== padded) {
    throw new ServiceError('malformed_request', 'not strict base64 or base64url')
  }
  return new Uint8Array(bytes)
}

/**
 * Strict base64url without padding: what a JWS segment is (RFC 7515 §2).
 *
 * @throws {ServiceError} `malformed_request`.
 */
export function decodeBase64url(text: string): Bytes {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.toString('base64url') !== text) {
    throw new ServiceError('malformed_request', 'not base64url without padding')
  }
  return new Uint8Array(bytes)
}

/** @throws {ServiceError} `malformed_request` unless the text is hex, two digits a byte. */
export function decodeHex(text: string): Bytes {
  if (!/^(?:[\da-f]{2})*$/i.test(text)) throw new ServiceError('malformed_request', 'not hex')
  return new Uint8Array(Buffer.from(text, 'hex'))
}

/** What any lenient reader would make of base64url, for looking at only: never for use. */
export function decodeLoosely(text: string): string {
  return Buffer.from(text, 'base64url').toString('latin1')
}

/** @throws {ServiceError} `malformed_request` when the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new ServiceError('malformed_request', 'not UTF-8', { cause })
  }
}

/** Constant time for equal lengths; a length is never a secret here. */
export function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}

export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  return new Uint8Array(Buffer.concat(parts))
}
