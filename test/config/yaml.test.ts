import { expect, test } from 'vitest'
import { changed, complaintsOf, goodConfig, lineOf } from '../support/config-text.ts'

/** Nine words, then eight times the line before, line by line: 134 million words. */
const bomb = [
  'a: &a [x, x, x, x, x, x, x, x, x]',
  ...['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map((name, i) => {
    const before = 'abcdefgh'.charAt(i)
    return `${name}: &${name} [${Array.from({ length: 8 }, () => `*${before}`).join(', ')}]`
  }),
].join('\n')

/** What is wrong, the text, what is said of it, and what stands on the line that is named. */
const faults = [
  [
    'a member that stands twice',
    `${goodConfig}environment: prod\n`,
    'Map keys must be unique',
    'environment: prod',
  ],
  [
    'a member that stands twice, deep inside',
    changed('alg: ES256', 'alg: ES256\n    alg: ES384'),
    'Map keys must be unique',
    'alg: ES384',
  ],
  [
    'a tab for indentation',
    changed('  local:\n', '\tlocal:\n'),
    'Tabs are not allowed as indentation',
    '\tlocal:',
  ],
  ['an open bracket', changed('[sign-message]', '[sign-message'), 'end with a ]', 'caller: shop'],
  ['two documents', `${goodConfig}---\n${goodConfig}`, 'multiple documents', '---'],
  [
    'another version of YAML',
    `%YAML 1.1\n---\n${goodConfig}`,
    'it is read as YAML 1.2: remove the %YAML line',
    '%YAML',
  ],
  [
    'a tag of its own',
    changed('environment: dev', 'environment: !env dev'),
    'Unresolved tag: !env',
    '!env',
  ],
  [
    'a tag that makes a set',
    changed('[sign-message]', '!!set {sign-message}'),
    'Unresolved tag',
    '!!set',
  ],
  [
    'a tag that makes bytes',
    changed('environment: dev', 'environment: !!binary ZGV2'),
    'Unresolved tag',
    '!!binary',
  ],
  ['a name that is no text', `${goodConfig}? [a]\n: 1\n`, 'all keys must be strings', '? [a]'],
  [
    'an alias of nothing',
    changed('environment: dev', 'environment: *dev'),
    'nothing has the anchor dev',
    '*dev',
  ],
  [
    'an alias of what it stands in',
    changed('vaults:', 'vaults: &all\n  again: *all'),
    'an alias of what it stands in',
    '*all',
  ],
  [
    'a member named __proto__',
    changed('prefix: "tenant:"', '__proto__: { text: 3 }'),
    'no member may be named __proto__',
    '__proto__',
  ],
] as const

test.each(faults)('%s is refused with its line', (_, text, message, at) => {
  const [complaint] = complaintsOf(text)
  expect(complaint?.path).toBe('(file)')
  expect(complaint?.message).toMatch(/^not valid YAML: /)
  expect(complaint?.message).toContain(message)
  expect(complaint?.message).toContain(` (chancery.yaml:${lineOf(text, at)})`)
})

test('aliases that would grow without end are refused before they do', () => {
  expect(complaintsOf(bomb)).toEqual([
    {
      path: '(file)',
      message: 'not valid YAML: at most 16 aliases: write the values out (chancery.yaml)',
    },
  ])
})

test('every YAML fault of a file is told, not only the first', () => {
  const text = `${changed('vaults:', 'store: {}\nvaults:')}environment: prod\nenvironment: test\n`
  const lines = ['store: {}', 'environment: prod', 'environment: test'].map((at) =>
    lineOf(text, at),
  )
  expect(complaintsOf(text).map(({ message }) => message)).toEqual(
    lines.map((line) => `not valid YAML: Map keys must be unique (chancery.yaml:${line})`),
  )
})

test.each([
  ['an empty file', ''],
  ['a file of comments', '# environment: dev\n'],
  ['null', 'null\n'],
  ['a word', 'environment\n'],
  ['a list', '- environment: dev\n'],
])('%s is no configuration', (_, text) => {
  expect(complaintsOf(text)).toEqual([
    {
      path: '(file)',
      message: expect.stringContaining(
        'not a mapping of sections: begin with environment, store and audit',
      ),
    },
  ])
})

test('words that YAML 1.1 takes for something else are what they look like', () => {
  const text = changed('id: AAAAAAAAAA', 'id: "0123456789"').replace('shop:', 'yes:')
  expect(complaintsOf(text.replace('caller: shop', 'caller: yes'))).toEqual([])
})

test('an alias is taken where it only repeats a value', () => {
  const text = changed('vault: local\n    alg: ES256', 'vault: &safe local\n    alg: ES256')
  expect(
    complaintsOf(changed('vault: local\n    alg: RS256', 'vault: *safe\n    alg: RS256', text)),
  ).toEqual([])
})
