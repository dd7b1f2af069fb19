import { hash, randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { type Bytes, equalBytes, utf8 } from './bytes.ts'

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const idCharacters = 10
const secretCharacters = 43 // 256 bits
const checksumCharacters = 6

/** Three letters that tell a secret scanner whose it is. */
export type CredentialKind = 'chn' | 'chr'

/** What is kept of a credential: its public id, and the SHA-256 of the whole string. */
export type CredentialRecord = { readonly id: string; readonly sha256: Bytes }

/**
 * `<kind>_<id>_<secret><crc32>`: the checksum lets secret scanners and typing errors be told apart.
 *
 * @returns the text, to be shown once, and the record to keep.
 */
export function createCredential(kind: CredentialKind): {
  readonly text: string
  readonly record: CredentialRecord
} {
  const id = randomText(idCharacters)
  const body = `${kind}_${id}_${randomText(secretCharacters)}`
  const text = body + checksum(body)
  return { text, record: { id, sha256: digest(text) } }
}

/** The public id, of what has the shape of a credential. */
export function credentialId(kind: CredentialKind, text: string): string | undefined {
  const [, found, id] = /^(chn|chr)_([0-9A-Za-z]{10})_[0-9A-Za-z]{49}$/.exec(text) ?? []
  return found === kind ? id : undefined
}

/** In constant time. No slow hash: the secret has 256 bits. */
export function isCredential(text: string, sha256: Uint8Array): boolean {
  return equalBytes(digest(text), sha256)
}

/** Nothing has it: what an unknown id is compared with, so that it takes as long as a known one. */
export const noCredential: Bytes = new Uint8Array(32)

function digest(text: string): Bytes {
  return new Uint8Array(hash('sha256', text, 'buffer'))
}

function randomText(characters: number): string {
  return Array.from({ length: characters }, () => base62.charAt(randomInt(62))).join('')
}

function checksum(text: string): string {
  let rest = crc32(utf8(text))
  let digits = ''
  while (digits.length < checksumCharacters) {
    digits = base62.charAt(rest % 62) + digits
    rest = Math.floor(rest / 62)
  }
  return digits
}
