import { describe, expect, test } from 'vitest'
import { changed, complaintsOf, goodConfig, loadText } from '../support/config-text.ts'

/** What is said of a good configuration, with `chancery.yaml:7` for its place. */
function warningsOf(text: string): readonly string[] {
  const { config } = loadText(text)
  return config.warnings.map(({ path, message }) =>
    `${path}: ${message}`.replace(/\(\/\S*\/(chancery\.yaml\S*)\)$/, '($1)'),
  )
}

const withCallers = (callers: string) => changed('callers:\n', `callers:\n${callers}`)
const oidc = (part: string) =>
  `{ oidc: { issuer: https://issuer.example, audience: chancery, ${part} } }`

describe('a warning, which keeps nothing from starting', () => {
  test('is not given of a configuration in which everything can do something', () => {
    expect(warningsOf(goodConfig)).toEqual([])
  })

  test.each<[string, string, readonly string[]]>([
    [
      'a key that nobody may use',
      changed(
        '  documents:\n',
        '  idle: { vault: local, alg: EdDSA, purpose: bytes }\n  documents:\n',
      ),
      [expect.stringMatching(/^keys\.idle: nobody may sign with it: .* \(chancery\.yaml:\d+\)$/)],
    ],
    [
      'a key that may be read and not used',
      changed('[sign-message]', '[read-fingerprint]'),
      [expect.stringContaining('keys.documents: nobody may sign with it')],
    ],
    [
      'a caller without a grant',
      withCallers(`  idle: ${oidc('match: { sub: a }')}\n`),
      [expect.stringContaining('callers.idle: it may do nothing: add a grant, or remove it')],
    ],
    [
      'a claim that no request can hold',
      changed('prefix: "tenant:"', `const: "${'a'.repeat(2_047)}é"`),
      [expect.stringMatching(/^grants\[0\]: it refuses every request: no claim sub /)],
    ],
    [
      'a claim that would be too long with any ending',
      changed('prefix: "tenant:"', `prefix: "${'a'.repeat(3_000)}:"`),
      [expect.stringMatching(/^grants\[0\]: it refuses every request: no claim sub /)],
    ],
    [
      'a claim of no possible value',
      changed('prefix: "tenant:"', String.raw`oneOf: ["\uD800", "${'a'.repeat(2_047)}é"]`),
      [expect.stringMatching(/^grants\[0\]: it refuses every request: no claim sub /)],
    ],
    [
      'a claim whose name no request may spell',
      changed('      sub:\n', String.raw`      "a\"b":` + '\n'),
      [expect.stringMatching(/^grants\[0\]: it refuses every request: no claim a"b /)],
    ],
    [
      'more claims than a request may have',
      changed(
        '    claims:\n',
        `    claims:\n${Array.from({ length: 64 }, (_, i) => `      c${i}: { text: 1 }\n`).join('')}`,
      ),
      [
        expect.stringMatching(
          /^grants\[0\]: it refuses every request: claims have at most 64 members /,
        ),
      ],
    ],
  ])('%s', (_, text, expected) => {
    expect(complaintsOf(text)).toEqual([])
    expect(warningsOf(text)).toEqual(expected)
  })

  test('an optional claim that cannot be sent refuses nobody', () => {
    const sub = `const: "${'a'.repeat(2_047)}é"\n        optional: true`
    expect(warningsOf(changed('prefix: "tenant:"', sub))).toEqual([])
  })

  test('a grant on tokens that never expire has to say so', () => {
    const token = '{ vault: local, alg: HS256, source: imported, profile: { name: api-key-token } }'
    const text = changed('  documents:\n', `  token: ${token}\n  documents:\n`)
    const grant = '  - { caller: shop, key: token, operations: [sign-input] }\n'
    expect(warningsOf(text + grant)).toEqual([
      expect.stringMatching(/^grants\[3\]: it refuses every request: .*noExpiry: true/),
    ])
    expect(warningsOf(text + grant.replace(' }', ', noExpiry: true }'))).toEqual([])
  })
})

describe('two callers of one issuer', () => {
  const pair = (one: string, other: string) =>
    withCallers(`  one: ${oidc(one)}\n  two: ${oidc(other)}\n`) +
    `  - { caller: one, key: bot, operations: [sign-claims] }\n` +
    `  - { caller: two, key: bot, operations: [sign-claims] }\n`

  test.each([
    ['the same claims', 'match: { sub: a }', 'match: { sub: a }', ['one', 'two']],
    ['claims that include the other’s', 'match: { sub: a, env: b }', 'match: { sub: a }', ['one']],
    ['one that is included', 'match: { sub: a }', 'match: { env: b, sub: a }', ['two']],
    ['other values', 'match: { sub: a }', 'match: { sub: b }', []],
    ['other types of values', 'match: { sub: 1 }', 'match: { sub: "1" }', []],
    ['other claims', 'match: { sub: a }', 'match: { env: a }', []],
    [
      'a shorter lifetime',
      'match: { sub: a }, maxTokenLifetime: 1h',
      'match: { sub: a }, maxTokenLifetime: 5m',
      ['two'],
    ],
    [
      'another algorithm',
      'match: { sub: a }, algorithms: [ES256]',
      'match: { sub: a }, algorithms: [RS256]',
      [],
    ],
  ])('with %s', (_, one, other, warned) => {
    const paths = warningsOf(pair(one, other)).map((warning) => warning.split(':')[0])
    expect(paths).toEqual(warned.map((name) => `callers.${name}.oidc.match`))
  })
})
