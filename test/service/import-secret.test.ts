import { randomBytes } from 'node:crypto'
import { assert, constantFrom, property, sample, string, uint8Array } from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SecretEncoding } from '../../src/lib/secret.ts'
import { readSecret } from '../../src/service/import-secret.ts'

const read = (text: string | Uint8Array, encoding: SecretEncoding = 'utf8') =>
  readSecret(Buffer.from(text), encoding).export()

const secret = 'correct horse battery staple'

test.each([
  ['as it is', secret],
  ['with a final line end', `${secret}\n`],
  ['with a Windows line end', `${secret}\r\n`],
  ['with a BOM', `\ufeff${secret}`],
])('a secret %s', (_, text) => {
  expect(read(text).toString('utf8')).toBe(secret)
})

test('spaces within it, and letters beyond ASCII, are its own', () => {
  expect(read('pâté de campagne').toString('utf8')).toBe('pâté de campagne')
})

test('every encoding gives the bytes that were encoded', () => {
  const bytes = uint8Array({ minLength: 14, maxLength: 100 })
  assert(
    property(bytes, constantFrom('base64', 'base64url', 'hex'), (given, encoding) => {
      const text = Buffer.from(given).toString(encoding)
      expect(read(text, encoding)).toEqual(Buffer.from(given))
    }),
  )
})

describe('what is no secret: each has its own message', () => {
  test.each<[string, string | Uint8Array, SecretEncoding, string, string]>([
    ['nothing', '', 'utf8', 'usage', 'is empty'],
    ['a line end', '\n', 'utf8', 'usage', 'is empty'],
    ['two lines', `${secret}\n${secret}\n`, 'utf8', 'usage', 'has more than one line'],
    ['a space behind it', `${secret} `, 'utf8', 'usage', 'begins or ends with a space'],
    ['UTF-16', Buffer.from(`\ufeff${secret}`, 'utf16le'), 'utf8', 'usage', 'is no UTF-8 text'],
    ['no base64', secret, 'base64', 'usage', 'is not base64: name the portal’s encoding'],
    ['base64url as base64', '-_-_-_-_-_-_-_-_-_-_', 'base64', 'usage', 'is not base64:'],
    ['base64 as base64url', '++++////++++////++++', 'base64url', 'usage', 'is not base64url'],
    ['odd hex', 'abcde', 'hex', 'usage', 'is not hex'],
    ['13 bytes', '1234567890123', 'utf8', 'refused', 'is too short: 13 bytes'],
    ['13 bytes in hex', randomBytes(13).toString('hex'), 'hex', 'refused', 'too short: 13 bytes'],
    ['a whole file', 'x'.repeat(1_025), 'utf8', 'usage', 'has 1025 bytes'],
  ])('%s', (_, text, encoding, code, words) => {
    expect(() => read(text, encoding)).toThrowError(expect.objectContaining({ code }))
    expect(() => read(text, encoding)).toThrow(words)
  })

  test('no message shows what was read', () => {
    for (const encoding of ['base64', 'hex'] as const) {
      const said = sample(string({ minLength: 20, maxLength: 40 }), 50).map((text) => {
        try {
          read(text, encoding)
          return ''
        } catch (error) {
          return String(error).includes(text) ? text : ''
        }
      })
      expect(said.filter((text) => text !== '')).toEqual([])
    }
  })
})
