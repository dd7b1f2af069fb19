import { hash, randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { type Bytes, equalBytes, utf8 } from '../lib/bytes.ts'
import type { Authenticator } from './caller.ts'

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const idCharacters = 10
const secretCharacters = 43 // 256 bits
const checksumCharacters = 6

/** `chn_<id>_<secret><crc32>`: the checksum lets secret scanners and typing errors be told apart. */
const shape = /^chn_([0-9A-Za-z]{10})_[0-9A-Za-z]{49}$/

/** What the configuration holds of an API key: its public id, and the SHA-256 of the whole string. */
export type ApiKeyRecord = { readonly id: string; readonly sha256: Bytes }

/** @returns the key, to be shown once, and the record to keep. */
export function createApiKey(): { readonly text: string; readonly record: ApiKeyRecord } {
  const id = randomText(idCharacters)
  const body = `chn_${id}_${randomText(secretCharacters)}`
  const text = body + checksum(body)
  return { text, record: { id, sha256: digest(text) } }
}

/**
 * Finds the record by its public id and compares digests in constant time; an unknown id takes the
 * same path against a digest that nothing has. No slow hash: the secret has 256 bits.
 */
export function apiKeyAuthenticator(
  callers: readonly { readonly name: string; readonly apiKeys: readonly ApiKeyRecord[] }[],
): Authenticator<string> {
  const byId = new Map(
    callers.flatMap(({ name, apiKeys }) =>
      apiKeys.map(
        ({ id, sha256 }) => [id, { sha256, caller: { name, attributes: { name } } }] as const,
      ),
    ),
  )
  const nobody = { sha256: new Uint8Array(32), caller: undefined }
  return {
    async authenticate(bearer) {
      const id = shape.exec(bearer)?.[1]
      if (id === undefined) return { refused: 'malformed' }
      const { sha256, caller } = byId.get(id) ?? nobody
      const isKnown = equalBytes(digest(bearer), sha256)
      return isKnown && caller ? { caller } : { refused: 'unknown_api_key' }
    },
  }
}

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
