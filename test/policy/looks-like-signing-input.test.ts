import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { utf8 } from '../../src/lib/bytes.ts'
import { looksLikeSigningInput } from '../../src/policy/signing-input.ts'

const b64 = (text: string): string => Buffer.from(text).toString('base64url')
const header = b64('{"alg":"RS256"}')

test.each([
  ['a signing input', `${header}.${b64('{"iss":"a"}')}`],
  ['a whole JWT', `${header}.${b64('{"iss":"a"}')}.c2ln`],
  ['a payload that is no JSON', `${header}.${b64('Payload')}`],
  ['a detached payload', `${header}.`],
  ['an unencoded payload (RFC 7797)', `${header}.$.02, any bytes \0`],
  ['a JWE', `${header}....`],
  ['a header of any algorithm', `${b64('{"alg":"none"}')}.e30`],
  ['a header with space around it', `${b64(' \n{"alg":"RS256"}\t')}.e30`],
  ['a header with space inside', `${b64('{\r\n "alg" : "RS256" }')}.e30`],
  ['an empty header', `${b64('{}')}.e30`],
  ['a header that only some readers take', `${b64("{'alg':'RS256',}")}.e30`],
  ['a header with duplicate members', `${b64('{"alg":"RS256","alg":"none"}')}.e30`],
  ['a header with letters beyond ASCII', `${b64('{"kid":"ü𝄞"}')}.e30`],
  ['a header with stray bits', 'e31.e30'],
])('%s is taken for one', (_, text) => {
  expect(looksLikeSigningInput(utf8(text))).toBe(true)
})

test.each([
  ['nothing', ''],
  ['a text', 'Dear Sir. Yours.'],
  ['a sentence without spaces', 'hello.world'],
  ['a header without a dot', header],
  ['a dot in front', `.${header}.e30`],
  ['JSON itself', '{"alg":"RS256"}.e30'],
  ['an array', `${b64('["alg"]')}.e30`],
  ['a string', `${b64('"alg"')}.e30`],
  ['a domain name', 'www.example.com'],
  ['a decimal number', '3.14159'],
  ['a file name', 'report-2026.pdf'],
  ['something before the header', `x ${header}.e30`],
  ['a fixed text that is signed as a proof', 'chancery known answer test, not a JWS'],
])('%s is not', (_, text) => {
  expect(looksLikeSigningInput(utf8(text))).toBe(false)
})

test('bytes that are no text are not', () => {
  const der = Uint8Array.of(0x30, 0x2e, 0x2e, 0x00, 0xff)
  expect(
    [der, new Uint8Array(8_192), new Uint8Array(8_192).fill(0x2e)].map(looksLikeSigningInput),
  ).toEqual([false, false, false])
})

test('whatever the members of the header and the bytes after the dot, it is found', () => {
  const members = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue(), { maxKeys: 5 })
  const property = fc.property(members, fc.uint8Array({ maxLength: 40 }), (head, rest) => {
    const message = Buffer.concat([utf8(`${b64(JSON.stringify(head))}.`), rest])
    expect(looksLikeSigningInput(message)).toBe(true)
  })
  fc.assert(property, { numRuns: 5_000 })
})
