import { createPrivateKey, createSecretKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { ServiceError } from '../errors.ts'
import { decodeBase64url, decodeUtf8 } from '../lib/bytes.ts'
import { parseJson } from '../lib/json.ts'

/** Asks a human, without echo. @returns undefined where nobody can be asked. */
export type AskPassphrase = () => Promise<Buffer | undefined>

/**
 * The private key of a PEM (PKCS#1, PKCS#8, SEC1; encrypted or not) or a JWK, or the secret of an `oct`
 * JWK. A BOM and Windows line ends are no matter.
 *
 * @throws {ServiceError} `usage`: each thing that such a file can hold instead has its own message and
 *   remedy, and none shows what was read. There is no cause: OpenSSL's words are not ours to answer for.
 */
export async function readPrivateKey(bytes: Uint8Array, ask: AskPassphrase): Promise<KeyObject> {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) // no copy to zero
  const first = content.find((byte) => !blank.includes(byte))
  if (first === undefined) throw unreadable('is empty', 'download the key again')
  if (first === 0xff || first === 0xfe) {
    throw unreadable('is UTF-16 text', 'save it as UTF-8, or download the key again')
  }
  if (first === 0x7b || first === 0x5b) return readJwk(content) // { or [
  const pem = onlyPrivateBlock(content)
  const isEncrypted = pem.includes('ENCRYPTED')
  const passphrase = isEncrypted ? await ask() : undefined
  if (isEncrypted && !passphrase) {
    const remedy = 'run this in a terminal, which asks for the passphrase'
    throw unreadable('is encrypted', remedy)
  }
  try {
    return createPrivateKey({ key: pem, format: 'pem', ...(passphrase && { passphrase }) })
  } catch {
    if (isEncrypted) throw unreadable('does not open with this passphrase', 'try again')
    throw unreadable('is damaged', 'download the key again, and change nothing in it')
  } finally {
    passphrase?.fill(0)
  }
}

/** White space, and the three bytes of a BOM in UTF-8. */
const blank: readonly number[] = [0x09, 0x0a, 0x0d, 0x20, 0xef, 0xbb, 0xbf]

const privateLabels = ['PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY']

/** What is not a private key, and what to do about it. */
const otherLabels: Readonly<Record<string, readonly [words: string, remedy: string]>> = {
  CERTIFICATE: ['holds a certificate', 'give the private key that was made with it'],
  'PUBLIC KEY': ['holds only the public half', 'give the private key'],
  'RSA PUBLIC KEY': ['holds only the public half', 'give the private key'],
  'OPENSSH PRIVATE KEY': [
    'is in OpenSSH’s own format',
    'write it as PEM with `ssh-keygen -p -m PEM -f FILE`, on a copy',
  ],
  'DSA PRIVATE KEY': ['holds a DSA key', 'no algorithm here uses one'],
}

/** From its first line to its last; OpenSSL takes either line end. */
function onlyPrivateBlock(content: Buffer): Buffer {
  const labels = labelsIn(content)
  const found = labels.filter((one) => privateLabels.includes(one))
  const [label] = found
  if (found.length > 1) {
    throw unreadable(`holds ${found.length} private keys`, 'put one alone into a file')
  }
  if (label === undefined) throw noPrivateBlock(labels)
  const from = content.indexOf(`${begin}${label}${dashes}`)
  const last = `-----END ${label}${dashes}`
  const to = content.indexOf(last, from)
  if (to < 0) throw unreadable('is cut off: its END line is missing', 'download the key again')
  return content.subarray(from, to + last.length)
}

const begin = '-----BEGIN '
const dashes = '-----'
const labelBytesMax = 64

function labelsIn(content: Buffer): readonly string[] {
  const labels: string[] = []
  for (let at = content.indexOf(begin); at >= 0; at = content.indexOf(begin, at + 1)) {
    const from = at + begin.length
    const to = content.indexOf(dashes, from)
    if (to >= 0 && to - from <= labelBytesMax) labels.push(content.toString('latin1', from, to))
  }
  return labels
}

function noPrivateBlock(labels: readonly string[]): ServiceError {
  const [words, remedy] = labels.map((label) => otherLabels[label]).find(Boolean) ?? [
    'holds no private key that can be read',
    'give a PEM (PKCS#1, PKCS#8 or SEC1) or a JWK',
  ]
  return unreadable(words, remedy)
}

const jwkHead = z.looseObject({
  kty: z.enum(['RSA', 'EC', 'OKP', 'oct']),
  d: z.string().exactOptional(),
  k: z.string().exactOptional(),
})

function readJwk(content: Buffer): KeyObject {
  const value = parsed(content)
  if (typeof value === 'object' && value !== null && 'keys' in value) {
    throw unreadable('is a set of JWKs', 'put the one key alone into a file')
  }
  const { data: jwk } = jwkHead.safeParse(value)
  if (!jwk) throw unreadable('is JSON, and no JWK', 'give a PEM or a JWK')
  const isPrivate = (jwk.kty === 'oct' ? jwk.k : jwk.d) !== undefined
  if (!isPrivate) throw unreadable('holds only the public half', 'give the private key')
  try {
    if (jwk.kty === 'oct') return createSecretKey(decodeBase64url(jwk.k ?? ''))
    return createPrivateKey({ key: jwk, format: 'jwk' })
  } catch {
    throw unreadable('is damaged', 'get the JWK again, and change nothing in it')
  }
}

function parsed(content: Buffer): unknown {
  try {
    return parseJson(decodeUtf8(content).replace(/^\ufeff/, ''))
  } catch {
    throw unreadable('begins like JSON, and is none', 'get the JWK again, and change nothing in it')
  }
}

function unreadable(words: string, remedy: string): ServiceError {
  return new ServiceError('usage', `The key file ${words}: ${remedy}`)
}
