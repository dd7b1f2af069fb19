import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readUnverified } from '../../src/auth/token.ts'
import { segment, segmentOf } from '../support/token.ts'

const issuer = 'https://issuer.example'
const header = segment({ alg: 'RS256', kid: 'one' })
const payload = segment({ iss: issuer, sub: '42' })
const signature = Buffer.alloc(32, 7).toString('base64url')

const withHeader = (text: string) => `${segmentOf(text)}.${payload}.${signature}`
const withPayload = (text: string) => `${header}.${segmentOf(text)}.${signature}`
const member = (name: string, value: unknown) =>
  withHeader(JSON.stringify({ alg: 'RS256', [name]: value }))

describe('what a token says of itself', () => {
  test('is its algorithm and its issuer', () => {
    expect(readUnverified(`${header}.${payload}.${signature}`)).toEqual({ alg: 'RS256', issuer })
  })

  test.each(['JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt'])(
    'may be of type %s',
    (typ) => {
      expect(readUnverified(member('typ', typ))).toEqual({ alg: 'RS256', issuer })
    },
  )

  test('may name a key of 256 characters, and hold members that nobody here reads', () => {
    expect(readUnverified(member('kid', 'k'.repeat(256)))).toBeDefined()
    expect(readUnverified(member('x5t', 'abc'))).toBeDefined()
  })
})

/** One letter more whose low bits no reader needs: another text for the same bytes. */
const strayBits = Buffer.from('{"iss":"a"}').toString('base64url').replace(/0$/, '1')

const malformed: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['one segment', header],
  ['two segments', `${header}.${payload}`],
  ['four segments', `${header}.${payload}.${signature}.`],
  ['five segments, a JWE', `${header}..${payload}.${signature}.AA`],
  ['an empty header', `.${payload}.${signature}`],
  ['an empty payload', `${header}..${signature}`],
  ['padding in the header', `${header}=.${payload}.${signature}`],
  ['padding in the payload', `${header}.${payload}=.${signature}`],
  ['padding in the signature', `${header}.${payload}.${signature}=`],
  ['stray bits in the payload', `${header}.${strayBits}.${signature}`],
  ['stray bits in the signature', `${header}.${payload}.${signature.slice(0, -1)}d`],
  ['a signature of an impossible length', `${header}.${payload}.AAAAA`],
  ['the other alphabet', `${header}.${payload}.++//`],
  ['a line feed behind it', `${header}.${payload}.${signature}\n`],
  ['a space in it', `${header}. ${payload}.${signature}`],
  ['a header that is no JSON', withHeader('{alg:"RS256"}')],
  ['a header that is a list', withHeader('["RS256"]')],
  ['a header that is null', withHeader('null')],
  ['a header with a mark of byte order', withHeader('\uFEFF{"alg":"RS256"}')],
  ['a header with something behind it', withHeader('{"alg":"RS256"} {}')],
  ['a header without an algorithm', withHeader('{}')],
  ['an algorithm that is a number', withHeader('{"alg":256}')],
  ['an algorithm that is a list', withHeader('{"alg":["RS256"]}')],
  ['two algorithms', withHeader('{"alg":"RS256","alg":"none"}')],
  ['an algorithm with an escape in its name', withHeader(String.raw`{"\u0061lg":"RS256"}`)],
  ['an escape in any name', withHeader(String.raw`{"alg":"RS256","k\u0069d":"one"}`)],
  ['a __proto__ in the header', withHeader('{"alg":"RS256","__proto__":{"kid":"one"}}')],
  ['an empty list of extensions', member('crit', [])],
  ['an extension', member('crit', ['b64'])],
  ['extensions that are null', member('crit', null)],
  ['b64: false', member('b64', false)],
  ['b64: true', member('b64', true)],
  ['jku', member('jku', 'https://evil.example/jwks')],
  ['jwk', member('jwk', { kty: 'oct', k: 'AAAA' })],
  ['x5u', member('x5u', 'https://evil.example/x5u')],
  ['a kid of 257 characters', member('kid', 'k'.repeat(257))],
  ['a kid that is a number', member('kid', 1)],
  ['a kid that is null', member('kid', null)],
  ['the type of another sort of token', member('typ', 'dpop+jwt')],
  ['the type of a logout token', member('typ', 'logout+jwt')],
  ['the type of a nested token', member('typ', 'JWE')],
  ['a type with something behind it', member('typ', 'JWT\n')],
  ['a payload that is no JSON', withPayload('iss')],
  ['a payload that is a list', withPayload('[]')],
  [
    'a payload that is not UTF-8',
    `${header}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.AA`,
  ],
  ['no issuer', withPayload('{"sub":"42"}')],
  ['an issuer that is a list', withPayload('{"iss":["https://issuer.example"]}')],
  ['two issuers', withPayload('{"iss":"a","iss":"b"}')],
  ['an issuer and one with an escape', withPayload(String.raw`{"iss":"a","is\u0073":"b"}`)],
  ['a claim that stands twice', withPayload('{"iss":"a","sub":"1","sub":"2"}')],
  ['a claim that stands twice, deep inside', withPayload('{"iss":"a","x":{"y":1,"y":2}}')],
  ['a __proto__ in the payload', withPayload('{"iss":"a","__proto__":{}}')],
  ['a payload too deep to read', withPayload(`{"iss":"a","x":${'['.repeat(9_000)}`)],
]

describe('no token is', () => {
  test.each(malformed)('%s', (_, text) => {
    expect(readUnverified(text)).toBeUndefined()
  })
})

test('whatever is read says what a second reader finds in it', () => {
  const json = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 })
  fc.assert(
    fc.property(json, json, fc.string(), fc.string(), (more, claims, alg, iss) => {
      const head = JSON.stringify({ ...more, alg })
      const body = JSON.stringify({ ...claims, iss })
      const read = readUnverified(`${segmentOf(head)}.${segmentOf(body)}.`)
      expect([
        undefined,
        { alg: JSON.parse(head).alg, issuer: JSON.parse(body).iss },
      ]).toContainEqual(read)
    }),
    { numRuns: 500 },
  )
})

test('no text makes the reader throw', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }), (parts) => {
      expect(() => readUnverified(parts.join('.'))).not.toThrow()
    }),
    { numRuns: 500 },
  )
})
