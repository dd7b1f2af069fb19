import { describe, expect, test } from 'vitest'
import { failedTokenRule, type TokenRules } from '../../src/auth/token-claims.ts'

const nowMs = 1_800_000_000_500
const now = 1_800_000_000

const rules: TokenRules = {
  audience: 'chancery',
  algorithms: ['RS256', 'ES256'],
  match: { repository_id: '1234' },
  lifetimeSecondsMax: 3_600,
}
const claims = { aud: 'chancery', iat: now - 10, exp: now + 600, repository_id: '1234' }

type Changed = Readonly<Record<string, unknown>>

const failed = (change: Changed, part: Partial<TokenRules> = {}, alg = 'RS256') =>
  failedTokenRule({ ...rules, ...part }, { alg, claims: { ...claims, ...change }, nowMs })

test('a token that says everything is of the caller', () => {
  expect(failed({})).toBeUndefined()
  expect(failed({}, {}, 'ES256')).toBeUndefined()
})

test.each(['PS256', 'rs256', 'HS256', 'none', ''])('an algorithm that is not listed: %j', (alg) => {
  expect(failed({}, {}, alg)).toBe('algorithm_not_listed')
})

describe('the audience', () => {
  test('may be a list of that one', () => {
    expect(failed({ aud: ['chancery'] })).toBeUndefined()
  })

  test.each([
    [undefined],
    [null],
    [''],
    ['Chancery'],
    ['chancery '],
    ['https://chancery'],
    [[]],
    [['chancery', 'other']],
    [['other', 'chancery']],
    [['chancery', 'chancery']],
    [[['chancery']]],
    [['chancery', undefined]],
    [7],
    [true],
    [{}],
    [{ 0: 'chancery', length: 1 }],
  ])('%j is another', (aud) => {
    expect(failed({ aud })).toBe('wrong_audience')
  })
})

describe('times', () => {
  test.each([
    ['an iat that is a fraction', { iat: now - 0.5 }],
    ['an exp that is a fraction', { exp: now + 0.5 }],
    ['an exp that is a text', { exp: String(now + 600) }],
    ['an exp beyond what a number can count', { exp: 2 ** 53 }],
    ['no iat', { iat: undefined }],
    ['no exp', { exp: undefined }],
    ['an exp of null', { exp: null }],
    ['an nbf that is a fraction', { nbf: now - 0.5 }],
    ['an nbf that is a text', { nbf: String(now) }],
  ])('%s is malformed', (_, change) => {
    expect(failed(change)).toBe('malformed')
  })

  test('an iat up to five seconds ahead is our clock’s fault', () => {
    expect(failed({ iat: now + 5 })).toBeUndefined()
    expect(failed({ iat: now + 6 })).toBe('not_yet_valid')
  })

  test('a life is as long as is allowed, and no second longer', () => {
    expect(failed({ iat: now, exp: now + 3_600 })).toBeUndefined()
    expect(failed({ iat: now, exp: now + 3_601 })).toBe('lives_too_long')
  })

  test('an exp in milliseconds is a life of 57,000 years', () => {
    expect(failed({ exp: (now + 600) * 1_000 })).toBe('lives_too_long')
  })

  test('both in milliseconds are far ahead', () => {
    expect(failed({ iat: now * 1_000, exp: (now + 600) * 1_000 })).toBe('not_yet_valid')
  })

  test('an iat in the past does not lend its age to the life', () => {
    expect(failed({ iat: 0, exp: now + 600 })).toBe('lives_too_long')
    expect(failed({ iat: -1, exp: now + 600 })).toBe('lives_too_long')
  })
})

describe('a claim to match', () => {
  test.each([
    ['a number for a text', { id: '1' }, { id: 1 }],
    ['a text for a number', { id: 1 }, { id: '1' }],
    ['true for the text', { id: 'true' }, { id: true }],
    ['1 for true', { id: true }, { id: 1 }],
    ['null for false', { id: false }, { id: null }],
    ['another case', { id: 'Acme' }, { id: 'acme' }],
    ['a longer text', { id: 'acme' }, { id: 'acme2' }],
    ['a space behind it', { id: 'acme' }, { id: 'acme ' }],
    ['what looks the same', { id: 'caf\u00e9' }, { id: 'cafe\u0301' }],
    ['a list of it', { id: 'acme' }, { id: ['acme'] }],
    ['an object of it', { id: 'acme' }, { id: { id: 'acme' } }],
    ['nothing', { id: 'acme' }, {}],
    ['a name that contains a dot, as a path', { 'a.b': '1' }, { a: { b: '1' } }],
    ['a star', { id: '*' }, { id: 'acme' }],
    ['one of two', { id: 'acme', env: 'prod' }, { id: 'acme', env: 'dev' }],
  ])('is not matched by %s', (_, match, change) => {
    expect(failed(change, { match })).toBe('no_caller_matches')
  })

  test.each(['constructor', 'toString', 'hasOwnProperty', '__proto__'])(
    'is never found on a prototype: %s',
    (name) => {
      const match = Object.fromEntries([[name, 'Object']])
      expect(failed({}, { match })).toBe('no_caller_matches')
      expect(failed({ a: {} }, { match: { [`/a/${name}/name`]: 'Object' } })).toBe(
        'no_caller_matches',
      )
    },
  )

  test('is never inherited', () => {
    const inherited: object = Object.create({ id: 'x' })
    expect(failed({ a: inherited }, { match: { '/a/id': 'x' } })).toBe('no_caller_matches')
  })

  test('may be named constructor, when the token has one of its own', () => {
    expect(failed({ constructor: 'x' }, { match: { constructor: 'x' } })).toBeUndefined()
  })
})

describe('a JSON Pointer', () => {
  const token = {
    'kubernetes.io': { serviceaccount: { uid: 'u-1' } },
    'a/b': { 'c~d': 7, '~1': 'tilde one' },
    list: ['x'],
    'https://acme/claim': { deep: true },
  }

  test.each<[string, string | number | boolean]>([
    ['/kubernetes.io/serviceaccount/uid', 'u-1'],
    ['/a~1b/c~0d', 7],
    ['/a~1b/~01', 'tilde one'],
    ['/https:~1~1acme~1claim/deep', true],
  ])('%s finds %j', (pointer, value) => {
    expect(failed(token, { match: { [pointer]: value } })).toBeUndefined()
  })

  test.each<[string, string | number]>([
    ['kubernetes.io/serviceaccount/uid', 'u-1'],
    ['/kubernetes.io/serviceaccount/UID', 'u-1'],
    ['/kubernetes.io/serviceaccount', 'u-1'],
    ['/kubernetes.io/serviceaccount/uid/0', 'u'],
    ['/list/0', 'x'],
    ['/list/length', 1],
    ['/list/-', 'x'],
    ['/a/b/c~0d', 7],
    ['//a', 'x'],
  ])('%s does not find %j', (pointer, value) => {
    expect(failed(token, { match: { [pointer]: value } })).toBe('no_caller_matches')
  })
})
