import { createSecretKey, type KeyObject } from 'node:crypto'
import { ServiceError } from '../errors.ts'
import { type Bytes, decodeBase64, decodeHex, decodeUtf8 } from '../lib/bytes.ts'
import { type SecretEncoding, secretEncodings } from '../lib/secret.ts'

/** 112 bits: https://doi.org/10.6028/NIST.SP.800-131Ar2 §10 lets nothing shorter make a MAC. */
const secretBytesMin = 14

/** No portal's secret is longer; a file that is was taken for another one. */
const secretBytesMax = 1_024

/**
 * The secret in a file: the text alone, with or without a final line end.
 *
 * @throws {ServiceError} `usage` for what is no text of the encoding, `refused` for a secret that is too
 *   short; no message shows what was read.
 */
export function readSecret(bytes: Uint8Array, encoding: SecretEncoding): KeyObject {
  return secretOf(textOf(bytes), encoding)
}

/** As `readSecret`, from the text itself. */
export function secretOf(text: string, encoding: SecretEncoding): KeyObject {
  if (text === '') throw unreadable('is empty', 'copy it again')
  if (/[\r\n]/.test(text)) throw unreadable('has more than one line', 'put it alone into the file')
  if (text.trim() !== text) throw unreadable('begins or ends with a space', 'copy it again')
  const secret = decoded(text, encoding)
  try {
    assertLength(secret)
    return createSecretKey(secret)
  } finally {
    secret.fill(0)
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes)
      .replace(/^\ufeff/, '')
      .replace(/\r?\n$/, '')
  } catch {
    throw unreadable('is no UTF-8 text', 'save it as UTF-8, or copy it again')
  }
}

function decoded(text: string, encoding: SecretEncoding): Bytes {
  const foreign = { base64: /[-_]/, base64url: /[+/=]/, hex: /^$/, utf8: /^$/ } as const
  try {
    if (foreign[encoding].test(text)) throw new TypeError(`not ${encoding}`)
    if (encoding === 'hex') return decodeHex(text)
    return encoding === 'utf8' ? new Uint8Array(Buffer.from(text, 'utf8')) : decodeBase64(text)
  } catch {
    const remedy = `name the portal’s encoding with --secret-encoding ${secretEncodings.join('|')}`
    throw unreadable(`is not ${encoding}`, remedy)
  }
}

function assertLength({ length }: Uint8Array): void {
  if (length > secretBytesMax)
    throw unreadable(`has ${length} bytes`, 'look at what is in the file')
  if (length >= secretBytesMin) return
  const message = `The secret is too short: ${length} bytes, and fewer than ${secretBytesMin} can be guessed. Have the portal make another one, and check --secret-encoding`
  throw new ServiceError('refused', message)
}

function unreadable(words: string, remedy: string): ServiceError {
  return new ServiceError('usage', `The secret ${words}: ${remedy}`)
}
