import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { parseJson } from '../../src/lib/json.ts'
import { readNaively } from '../support/naive-json.ts'

const refused = expect.objectContaining({
  code: 'malformed_request',
  message: 'not one JSON value with unique, unescaped member names',
})

describe('an escape in a member name', () => {
  // https://github.com/nodejs/node/issues/63785: when this fails, Node has mended it.
  test('JSON.parse of this Node still answers a wrong name, once another text was read', () => {
    JSON.parse(String.raw`{"a":1,"is\\":1}`)
    expect(JSON.parse(String.raw`{"a":1,"is\u0073":2}`)).toEqual({ a: 1, 'is\\': 2 })
  })

  test('neither of the two texts is read', () => {
    expect(() => parseJson(String.raw`{"a":1,"is\\":1}`)).toThrow(refused)
    expect(() => parseJson(String.raw`{"a":1,"is\u0073":2}`)).toThrow(refused)
  })
})

test.each([
  ['a duplicate', '{"iss":"a","iss":"b"}'],
  ['a duplicate with the same value', '{"iss":1,"iss":1}'],
  ['a duplicate inside an object', '{"a":{"b":1,"b":2}}'],
  ['a duplicate inside an array', '[{"b":1,"b":2}]'],
  ['a duplicate eight levels down', '[[[[[[[{"b":1,"b":2}]]]]]]]'],
  ['a duplicate of the empty name', '{"":1,"":2}'],
  ['a duplicate across spaces', '{"a" : 1 ,\n"a"\t:\r2}'],
  ['a duplicate beside a string that looks like a member', String.raw`{"a":"\"b\":","a":1}`],
  ['a duplicate made by an escape', String.raw`{"iss":"a","\u0069ss":"b"}`],
  ['an escape in a name', String.raw`{"\/":1}`],
  ['an escaped quote in a name', String.raw`{"\"":1}`],
  ['__proto__', '{"__proto__":{"admin":true}}'],
  ['__proto__ inside', '{"a":[{"__proto__":null}]}'],
  ['an escaped __proto__', String.raw`{"\u005f_proto__":1}`],
  ['nothing', ''],
  ['only space', ' \n'],
  ['a second value', '{} {}'],
  ['a second value after a line', '{}\n1'],
  ['a trailing comma', '{"a":1,}'],
  ['a byte order mark', '\uFEFF{}'],
  ['a comment', '{}//'],
  ['a name without quotes', '{a:1}'],
  ['single quotes', "{'a':1}"],
  ['an open string', '{"a":"'],
  ['an open object', '{"a":1'],
  ['a line feed in a string', '"\n"'],
  ['a leading zero', '01'],
  ['NaN', 'NaN'],
  ['undefined', 'undefined'],
])('%s is refused', (_, text) => {
  expect(() => parseJson(text)).toThrow(refused)
})

test.each([
  ['a colon inside a string', '{"a":"b\\":"}'],
  ['text that looks like members', String.raw`{"a":"{\"a\":1,\"a\":2}"}`],
  ['the same name in two objects', '[{"a":1},{"a":{"a":2}}]'],
  ['a name that differs by case', '{"iss":1,"ISS":2}'],
  ['names of Object.prototype', '{"constructor":1,"toString":2,"hasOwnProperty":3}'],
  ['names that are array places', '{"0":1,"1":2,"length":3}'],
  ['an array of strings', '["a","a",":"]'],
  ['an escape in a value', String.raw`{"a":"\u0073\\"}`],
  ['a scalar', '"a"'],
  ['null', 'null'],
  ['an empty object', '{}'],
])('%s comes through unchanged', (_, text) => {
  expect(parseJson(text)).toEqual(JSON.parse(text))
})

/** JSON texts with few names, so that duplicates are frequent, at any depth. */
const { value: jsonText } = fc.letrec<{ value: string; member: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('1', '-0', '1e3', 'true', 'null', '""', String.raw`"\":"`, '"a"'),
    fc.json({ maxDepth: 1 }),
    fc.array(tie('member'), { maxLength: 4 }).map((members) => `{${members.join(',')}}`),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(' , ')}]`),
  ),
  member: fc
    .tuple(
      fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'iss', '') },
        fc.constantFrom('__proto__', String.raw`is\u0073`, String.raw`\\`, 'a b', ':'),
      ),
      fc.constantFrom(':', ' : ', '\n:'),
      tie('value'),
    )
    .map(([name, colon, value]) => `"${name}"${colon}${value}`),
}))

const brokenText = fc
  .tuple(
    jsonText,
    fc.nat(),
    fc.constantFrom('"', '\\', ':', ',', '{', '}', '[', ' ', ''),
    fc.nat(2),
  )
  .map(([text, place, put, left]) => {
    const at = place % (text.length + 1)
    return text.slice(0, at) + put + text.slice(at + left)
  })

test('a text is read exactly when a naive reader finds one clear value, and then unchanged', () => {
  const seen = { clear: 0, ambiguous: 0, 'not JSON': 0 }
  const property = fc.property(fc.oneof(jsonText, brokenText), (text) => {
    const reading = readNaively(text)
    seen[reading] += 1
    const outcome = attempt(() => parseJson(text))
    const expected =
      reading === 'clear' ? { value: JSON.parse(text) } : { code: 'malformed_request' }
    expect(outcome).toEqual(expected)
  })
  fc.assert(property, { numRuns: 30_000 })
  expect(Object.values(seen).every((count) => count > 1_000)).toBe(true)
})

function attempt(read: () => unknown): { value: unknown } | { code: string } {
  try {
    return { value: read() }
  } catch (error) {
    if (error instanceof ServiceError) return { code: error.code }
    throw error
  }
}

test.each([
  ['quotes', '"'.repeat(65_536)],
  ['escapes', '"\\'.repeat(32_768)],
  ['backslashes in an open string', `"${'\\'.repeat(65_535)}`],
  ['spaces after a string', `"a"${' '.repeat(65_000)}x`],
  ['strings and spaces', '"" '.repeat(21_845)],
  ['names', '"":'.repeat(21_845)],
  ['open arrays', '['.repeat(65_536)],
  ['open objects', '{"a":'.repeat(13_107)],
])('64 KiB of %s is refused, and in linear time', (_, text) => {
  expect(() => parseJson(text)).toThrow(refused)
})

test.each([
  ['arrays', '['.repeat(32_768) + ']'.repeat(32_768)],
  ['objects', '{"a":'.repeat(10_922) + '1' + '}'.repeat(10_922)],
])('64 KiB of nested %s is read or refused, and never ends the process', (_, text) => {
  expect(attempt(() => parseJson(text))).toEqual(
    expect.toBeOneOf([{ code: 'malformed_request' }, { value: expect.anything() }]),
  )
})

test('neither the error nor its causes quote the text', () => {
  const text = '{"password": hunter2}'
  const said: string[] = []
  try {
    parseJson(text)
  } catch (error) {
    for (let at = error; at instanceof Error; at = at.cause) said.push(at.message)
  }
  expect(said.length).toBeGreaterThan(0)
  expect(said.join()).not.toContain('hunter2')
})
