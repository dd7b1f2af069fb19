import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { checkHeader, parseSigningInput } from '../../src/policy/signing-input.ts'

const b64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url')
const input = (header: string, payload: string): string => `${b64(header)}.${b64(payload)}`

const header = '{"alg":"ES256","typ":"JWT"}'
const payload = '{"iss":"a"}'
const malformed = (message: string) =>
  expect.objectContaining({ code: 'malformed_signing_input', message: `signingInput: ${message}` })

test('two segments are read as what they say', () => {
  expect(parseSigningInput(input(header, payload))).toEqual({
    header: { alg: 'ES256', typ: 'JWT' },
    claims: { iss: 'a' },
  })
})

describe('segments', () => {
  const [h, p] = input(header, payload).split('.')

  test.each([
    ['nothing', ''],
    ['one segment', `${h}`],
    ['an empty header', `.${p}`],
    ['an empty payload', `${h}.`],
    ['only a dot', '.'],
    ['three segments', `${h}.${p}.${p}`],
    ['a third, empty segment', `${h}.${p}.`],
    ['a JWE', `${h}....${p}`],
    ['an empty first segment', `.${h}.${p}`],
  ])('%s is refused', (_, text) => {
    expect(() => parseSigningInput(text)).toThrow(malformed('not two base64url segments'))
  })

  test.each([
    ['padding', `${b64('{}')}=`, `${b64('{}')}==`],
    ['stray bits', 'e31', 'e33'],
    ['the other alphabet', Buffer.from('{"a":"þÿ>?"}').toString('base64').replaceAll('=', '')],
    ['a space', ` ${b64('{}')}`, `${b64('{}')} `, 'e3 0'],
    ['a line feed', `${b64('{}')}\n`, '\ne30'],
    ['a zero byte', `${b64('{}')}\0`],
    ['garbage', '!!!', '%7B%7D'],
    ['JSON that is not encoded', '{}'],
    ['a letter beyond ASCII', 'é30'],
  ])('%s is refused in both segments', (_, ...texts) => {
    for (const text of texts) {
      expect(() => parseSigningInput(`${text}.${p}`)).toThrow(
        malformed('the header is not base64url of one JSON object'),
      )
      expect(() => parseSigningInput(`${h}.${text}`)).toThrow(
        malformed('the payload is not base64url of one JSON object'),
      )
    }
  })
})

describe.each([
  ['header', (text: string | Uint8Array) => `${b64(text)}.${b64(payload)}`],
  ['payload', (text: string | Uint8Array) => `${b64(header)}.${b64(text)}`],
] as const)('JSON of the %s', (name, around) => {
  test.each([
    ['duplicate members', '{"alg":"ES256","alg":"none"}'],
    ['duplicate members inside', '{"a":{"b":1,"b":2}}'],
    ['an escape in a name', String.raw`{"\u0061lg":"ES256"}`],
    ['an escaped backslash in a name', String.raw`{"is\\":1}`],
    ['__proto__', '{"__proto__":{"alg":"none"}}'],
    ['a second JSON value', '{}{}'],
    ['a second JSON value after a line', '{}\n{"alg":"none"}'],
    ['a byte order mark', '\uFEFF{}'],
    ['a trailing comma', '{"a":1,}'],
    ['a comment', '{}/**/'],
    ['no JSON', 'alg'],
    ['bytes that are no UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
    ['overlong UTF-8', Uint8Array.of(0x7b, 0x22, 0xc1, 0xa1, 0x22, 0x3a, 0x31, 0x7d)],
    ['a surrogate in UTF-8', Uint8Array.of(0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d)],
    ['UTF-16', Buffer.from('{}', 'utf16le')],
  ])('%s is refused', (_, text) => {
    expect(() => parseSigningInput(around(text))).toThrow(
      malformed(`the ${name} is not base64url of one JSON object`),
    )
  })

  test.each(['[]', '[{}]', 'null', '"alg"', '1', 'true'])('%s is no object', (text) => {
    expect(() => parseSigningInput(around(text))).toThrow(
      malformed(`the ${name} is not a JSON object`),
    )
  })
})

test.each([
  ['a fraction', '{"exp":1.5}', /is not written as an integer$/],
  ['a fraction that rounds to none', '{"exp":0.99999999999999999999}', /as an integer$/],
  ['an exponent', '{"exp":1e3}', /is not written as an integer$/],
  ['a negative zero', '{"exp":-0}', 'payload exp: numbers are safe integers'],
  ['beyond 2^53', '{"exp":9007199254740993}', 'payload exp: numbers are safe integers'],
  ['infinity', '{"exp":1e999}', /is not written as an integer$/],
  ['a lone surrogate', String.raw`{"sub":"\ud800"}`, 'payload sub: not well-formed Unicode'],
  ['nine levels', `{"a":${'['.repeat(8)}${']'.repeat(8)}}`, /at most 8 levels deep$/],
])('the payload is bound as claims are: %s', (_, text, message) => {
  expect(() => parseSigningInput(input(header, text))).toThrow(
    expect.objectContaining({
      code: 'malformed_signing_input',
      message: expect.stringMatching(message),
    }),
  )
})

test('the refusal quotes nothing of the text', () => {
  for (const text of ['hunter2', '{"hunter2"', '"hunter2"', '{"a":1,"a":"hunter2"}']) {
    const error = refusalOf(input(header, text))
    expect(error?.code).toBe('malformed_signing_input')
    for (let at: unknown = error; at instanceof Error; at = at.cause) {
      expect(at.message).not.toContain('hunter2')
    }
  }
})

describe('the header', () => {
  const withKid = { alg: 'ES256', kidInHeader: true, headerIsExact: false }
  const withoutKid = { alg: 'ES256', kidInHeader: false, headerIsExact: false }

  test.each([
    ['alg alone', { alg: 'ES256' }, undefined],
    ['alg and typ', { alg: 'ES256', typ: 'JWT' }, undefined],
    ['the kid, for its owner to look at', { typ: 'JWT', kid: 'a-kid', alg: 'ES256' }, 'a-kid'],
    ['an empty kid', { alg: 'ES256', kid: '' }, ''],
  ])('may hold %s', (_, sent, kid) => {
    expect(checkHeader(sent, withKid)).toBe(kid)
  })

  test.each([
    undefined,
    null,
    'none',
    'None',
    'NONE',
    'es256',
    'ES256 ',
    ' ES256',
    'ES384',
    'RS256',
    'HS256',
    'EdDSA',
    '',
    0,
    true,
    ['ES256'],
    { alg: 'ES256' },
  ])('alg %j is refused: the key has its own', (alg) => {
    const sent = alg === undefined ? { typ: 'JWT' } : { alg, typ: 'JWT' }
    expect(() => checkHeader(sent, withKid)).toThrow(malformed("the header's alg is not ES256"))
  })

  test.each(['jwt', 'Jwt', 'JWT ', '', 'at+jwt', 'JOSE', 'JWE', null, 1, ['JWT']])(
    'typ %j is refused',
    (typ) => {
      expect(() => checkHeader({ alg: 'ES256', typ }, withKid)).toThrow(malformed('typ is not JWT'))
    },
  )

  test.each([null, 0, 1, true, ['a-kid'], { a: 1 }])('kid %j is no string', (kid) => {
    expect(() => checkHeader({ alg: 'ES256', kid }, withKid)).toThrow(
      malformed('kid is not a string'),
    )
  })

  test('a kid is refused where the profile has none', () => {
    expect(() => checkHeader({ alg: 'ES256', kid: 'a-kid' }, withoutKid)).toThrow(
      malformed('the header has members other than alg, typ'),
    )
  })

  const attacks = [
    'crit',
    'b64',
    'jku',
    'jwk',
    'x5u',
    'x5c',
    'x5t',
    'x5t#S256',
    'cty',
    'zip',
    'enc',
  ]
  const lookalikes = ['ALG', 'Alg', 'alg ', 'KID', 'nonce', 'url', '', 'constructor', 'toString']

  test.each([...attacks, ...lookalikes])('%j is refused, whatever it says', (member) => {
    for (const value of [null, true, false, '', 'https://evil.example', [], {}]) {
      expect(() => checkHeader({ alg: 'ES256', [member]: value }, withKid)).toThrow(
        malformed('the header has members other than alg, typ, kid'),
      )
    }
  })
})

function refusalOf(text: string): ServiceError | undefined {
  try {
    parseSigningInput(text)
    return undefined
  } catch (error) {
    if (error instanceof ServiceError) return error
    throw error
  }
}

test('for every accepted input, its own bytes say what policy saw', () => {
  const member = fc.constantFrom('alg', 'typ', 'kid', 'iss', 'exp', 'iss ', '__proto__', 'a')
  const scalar = fc.constantFrom(
    '"ES256"',
    '"JWT"',
    '1',
    '-1',
    '1e3',
    '0.5',
    'null',
    '"\\u0061"',
    '[]',
  )
  const space = fc.constantFrom('', '', ' ', '\n', '\t')
  const object = fc
    .array(fc.tuple(space, member, space, scalar, space), { maxLength: 4 })
    .map(
      (all) => `{${all.map(([a, name, b, value, c]) => `${a}"${name}"${b}:${value}${c}`).join()}}`,
    )
  const noise = fc.constantFrom('', '=', '.', 'A', ' ', '{', '"', '\\', '\uFEFF')
  const change = fc.option(fc.tuple(fc.nat(), fc.nat({ max: 1 }), noise), {
    freq: 2,
    nil: undefined,
  })

  let accepted = 0
  const property = fc.property(object, object, change, change, (first, second, inside, outside) => {
    const text = mutated(input(first, mutated(second, inside)), outside)
    const refusal = refusalOf(text)
    if (refusal) return refusal.code === 'malformed_signing_input'
    accepted += 1
    const seen = parseSigningInput(text)
    const [h = '', p = '', ...more] = text.split('.')
    const said = [h, p].map((part): unknown =>
      JSON.parse(Buffer.from(part, 'base64url').toString()),
    )
    expect(said).toEqual([seen.header, seen.claims])
    return more.length === 0 && [h, p].every((part) => b64(Buffer.from(part, 'base64url')) === part)
  })
  fc.assert(property, { numRuns: 30_000 })
  expect(accepted).toBeGreaterThan(1_000)
})

function mutated(text: string, change: readonly [number, number, string] | undefined): string {
  if (!change) return text
  const [place, left, put] = change
  const at = place % (text.length + 1)
  return text.slice(0, at) + put + text.slice(at + left)
}
