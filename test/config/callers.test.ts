import { describe, expect, test } from 'vitest'
import { changed, complaintsOf, goodConfig, lineOf, loadText } from '../support/config-text.ts'
import { duration, type Fault, testFaults } from './faults.ts'

const apiKey = `apiKeys:\n      - id: BBBBBBBBBB\n        sha256: ${'b'.repeat(64)}`
const oidc = `oidc:
      issuer: https://issuer.example
      audience: chancery
      match:
        repository_id: "1234"`

/** Its caller `shop` proves itself by tokens. */
const tokens = changed(apiKey, oidc)

const issuer = 'callers.shop.oidc.issuer'
const scalar = 'a value is a text of at most 2048 characters, an integer, true or false'
const http = 'https only; http on a loopback address only, like http://127.0.0.1:8080'
const pointer = 'a claim, or a JSON Pointer like /a/b'

/** What is told of an issuer that is written like this. */
const issuers: readonly (readonly [string, string])[] = [
  ['http://issuer.example', http],
  ['http://10.0.0.5:8080', http],
  ['http://localhost:8080', 'no localhost: write the address out, like 127.0.0.1'],
  ['https://169.254.169.254', 'nothing is at this address'],
  ['https://user:secret@issuer.example', 'no user and no password in it'],
  ['"https://issuer.example#a"', 'no fragment'],
  ['https://issuer.example?tenant=a', 'an issuer has no query'],
  ['issuer.example', 'not a URL'],
  ['kubernetes/serviceaccount', 'not a URL'],
  ['"https://issuer.example "', 'not a URL'],
  ['https://*.issuer.example', 'no host name'],
  ['ldap://issuer.example', 'https only'],
  ['[https://issuer.example]', 'expected string, received array'],
]

const members: readonly Fault[] = [
  {
    from: 'audience: chancery',
    to: 'audience: [chancery]',
    path: 'callers.shop.oidc.audience',
    message: 'expected string, received array',
  },
  {
    from: '      audience: chancery\n',
    to: '',
    path: 'callers.shop.oidc.audience',
    message: 'missing: add it',
    at: 'issuer: https://issuer.example',
  },
  {
    from: 'audience: chancery',
    to: 'audience: ""',
    path: 'callers.shop.oidc.audience',
    message: 'expected string to have >=1 characters',
  },
  {
    from: 'match:\n        repository_id: "1234"',
    to: 'match: {}',
    path: 'callers.shop.oidc.match',
    message: 'name at least one claim that only this caller has',
  },
  {
    from: 'repository_id: "1234"',
    to: 'repository_id: ["1234"]',
    path: 'callers.shop.oidc.match.repository_id',
    message: scalar,
  },
  {
    from: 'repository_id: "1234"',
    to: 'repository_id: 1.5',
    path: 'callers.shop.oidc.match.repository_id',
    message: scalar,
  },
  {
    from: 'repository_id: "1234"',
    to: '/: "1234"',
    path: 'callers.shop.oidc.match./',
    message: pointer,
  },
  {
    from: 'repository_id: "1234"',
    to: '/a//b: "1234"',
    path: 'callers.shop.oidc.match./a//b',
    message: pointer,
  },
  {
    from: 'repository_id: "1234"',
    to: '/a~2b: "1234"',
    path: 'callers.shop.oidc.match./a~2b',
    message: pointer,
  },
  {
    from: 'repository_id: "1234"',
    to: '/a/b/c/d/e/f/g/h/i: "1234"',
    path: 'callers.shop.oidc.match./a/b/c/d/e/f/g/h/i',
    message: pointer,
  },
  ...['HS256', 'none', 'rs256', 'ES256K'].map((alg) => ({
    from: 'audience: chancery',
    to: `algorithms: [RS256, ${alg}]\n      audience: chancery`,
    path: 'callers.shop.oidc.algorithms[1]',
    message:
      'expected one of "RS256"|"RS384"|"RS512"|"PS256"|"PS384"|"PS512"|"ES256"|"ES384"|"ES512"|"EdDSA"',
  })),
  {
    from: 'audience: chancery',
    to: 'algorithms: []\n      audience: chancery',
    path: 'callers.shop.oidc.algorithms',
    message: 'expected array to have >=1 items',
  },
  {
    from: 'audience: chancery',
    to: 'maxTokenLifetime: 3600\n      audience: chancery',
    path: 'callers.shop.oidc.maxTokenLifetime',
    message: 'expected string, received number',
  },
  {
    from: 'audience: chancery',
    to: 'maxTokenLifetime: 1 h\n      audience: chancery',
    path: 'callers.shop.oidc.maxTokenLifetime',
    message: duration,
  },
  {
    from: 'audience: chancery',
    to: 'jwksUri: http://issuer.example/jwks\n      audience: chancery',
    path: 'callers.shop.oidc.jwksUri',
    message: http,
  },
  {
    from: 'audience: chancery',
    to: 'jwksUri: https://a.example/jwks\n      jwksFile: jwks.json\n      audience: chancery',
    path: 'callers.shop.oidc',
    message: 'jwksUri or jwksFile, not both',
    at: 'issuer: https://issuer.example',
  },
  {
    from: 'audience: chancery',
    to: 'secret: abc\n      audience: chancery',
    path: 'callers.shop.oidc.secret',
    message: 'unknown member: correct or remove it',
  },
  {
    from: '    oidc:',
    to: '    roles: []\n    oidc:',
    path: 'callers.shop.roles',
    message: 'unknown member: correct or remove it',
  },
  {
    from: `\n    ${oidc}`,
    to: ' {}',
    path: 'callers.shop',
    message: 'a caller needs apiKeys (run `chancery callers new-key NAME`), oidc or certificate',
    at: 'shop: {}',
  },
]

describe('a fault of a caller’s tokens is told with its place and its remedy', () => {
  testFaults(members, tokens)

  test.each(issuers)('an issuer %s: %s', (text, message) => {
    const faulty = changed('issuer: https://issuer.example', `issuer: ${text}`, tokens)
    const line = lineOf(faulty, `issuer: ${text}`)
    expect(complaintsOf(faulty)).toEqual([
      { path: issuer, message: expect.stringMatching(new RegExp(`\\(chancery.yaml:${line}\\)$`)) },
    ])
    expect(complaintsOf(faulty)[0]?.message).toContain(message)
  })
})

describe('a caller by tokens', () => {
  const settingsOf = (text: string) => loadText(text).config.callers[1]?.oidc

  test('has its keys by discovery, RS256 and an hour, unless something else is said', () => {
    expect(settingsOf(tokens)).toEqual({
      issuer: 'https://issuer.example',
      audience: 'chancery',
      match: { repository_id: '1234' },
      algorithms: ['RS256'],
      lifetimeSecondsMax: 3_600,
      keys: { kind: 'discovery' },
    })
  })

  test.each(['http://127.0.0.1:8080', 'http://[::1]:8080', 'https://10.0.0.5/a', 'https://h/a/'])(
    'may be of an issuer in the house: %s',
    (text) => {
      const faultless = changed('https://issuer.example', text, tokens)
      expect(settingsOf(faultless)?.issuer).toBe(text)
    },
  )

  test('may have an API key and a certificate besides', () => {
    const text = changed(apiKey, `${apiKey}\n    ${oidc}`)
    expect(loadText(text).config.callers[1]).toMatchObject({
      name: 'shop',
      apiKeys: [{ id: 'BBBBBBBBBB' }],
      oidc: { audience: 'chancery' },
    })
  })
})

describe('two callers', () => {
  const other = (text: string) => changed('grants:', `  cellar:\n    ${text}\ngrants:`, tokens)
  const warningsOf = (text: string) =>
    loadText(text)
      .config.warnings.filter(({ path }) => path.endsWith('.match'))
      .map(({ path, message }) => `${path}: ${message.replace(/ \(.*/, '')}`)
  const twins = (narrow: string, wide: string) =>
    `callers.${narrow}.oidc.match: every token of ${narrow} matches ${wide} too, so none is accepted: match a claim that only one of them has`

  test.each([['jwksUri: https://issuer.example/jwks'], ['jwksFile: jwks.json']])(
    'of one issuer have its keys in one place: %s',
    (where) => {
      const text = other(`${oidc.replace('"1234"', '"1235"')}\n      ${where}`)
      expect(complaintsOf(text)).toEqual([
        {
          path: 'callers.cellar.oidc.issuer',
          message: expect.stringContaining(
            'shop has the same issuer with its keys elsewhere: give both the same jwksUri or jwksFile',
          ),
        },
      ])
    },
  )

  test('whose tokens are the same are warned of, both', () => {
    expect(warningsOf(other(oidc))).toEqual([twins('shop', 'cellar'), twins('cellar', 'shop')])
  })

  test('of which one has all the tokens of the other are warned of, once', () => {
    const narrow = other(`${oidc}\n        environment: prod`)
    expect(warningsOf(narrow)).toEqual([twins('cellar', 'shop')])
  })

  test.each([
    ['a claim', oidc.replace('"1234"', '"1235"')],
    ['the type of a claim', oidc.replace('"1234"', '1234')],
    ['the audience', oidc.replace('chancery', 'another')],
    ['the issuer', oidc.replace('issuer.example', 'other.example')],
    ['the algorithms', `${oidc}\n      algorithms: [ES256]`],
    ['other claims', oidc.replace('repository_id', 'repository')],
  ])('that differ in %s are no twins', (_, text) => {
    expect(warningsOf(other(text))).toEqual([])
  })
})

describe('fromCaller', () => {
  const rule = (attribute: string, text = tokens) =>
    changed('prefix: "tenant:"', `fromCaller: ${attribute}`, text).replace(
      'caller: blog\n    key: reports',
      'caller: shop\n    key: reports',
    )

  test.each(['repository_id', 'name'])('may name what a token is matched by: %s', (attribute) => {
    expect(complaintsOf(rule(attribute))).toEqual([])
  })

  test('may name a JSON Pointer, as it stands in match', () => {
    const text = changed('repository_id: "1234"', '/a/b: "1234"', tokens)
    expect(complaintsOf(rule('/a/b', text))).toEqual([])
  })

  test.each(['sub', 'uri', 'constructor'])('may not name what is not matched: %s', (attribute) => {
    expect(complaintsOf(rule(attribute))).toEqual([
      {
        path: 'grants[0].claims.sub.fromCaller',
        message: expect.stringContaining(
          `shop has no attribute ${attribute}: it has name, repository_id`,
        ),
      },
    ])
  })
})

test('the configuration that all of this changes is a good one', () => {
  expect([complaintsOf(goodConfig), complaintsOf(tokens)]).toEqual([[], []])
})
