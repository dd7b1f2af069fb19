import { describe, expect, test } from 'vitest'
import { changed, complaintsOf } from '../support/config-text.ts'
import { duration, type Fault, testFaults } from './faults.ts'

const rate = 'a rate is a number per s or m, like 20/s'
const oneCheck = 'a claim has exactly one of const, oneOf, prefix, text, fromCaller'
const scalar = 'a value is a text of at most 2048 characters, an integer, true or false'

const grants: readonly Fault[] = [
  {
    from: 'caller: shop',
    to: 'caller: shoe',
    path: 'grants[2].caller',
    message: 'no such caller: name one of callers',
  },
  {
    from: 'key: bot',
    to: 'key: bat',
    path: 'grants[2].key',
    message: 'no such key: name one of keys',
  },
  {
    from: '[sign-message]',
    to: '[]',
    path: 'grants[1].operations',
    message: 'expected array to have >=1 items',
  },
  {
    from: '[sign-message]',
    to: '[sign-hash]',
    path: 'grants[1].operations[0]',
    message:
      'expected one of "sign-claims"|"sign-input"|"sign-message"|"sign-digest"|"read-fingerprint"',
  },
  {
    from: '[sign-message]',
    to: '[sign-claims]',
    path: 'grants[1].operations',
    message:
      'a key of purpose bytes has no sign-claims: it has sign-message, sign-digest, read-fingerprint',
  },
  {
    from: '[sign-claims, sign-input]',
    to: '[sign-message ]',
    path: 'grants[2].operations',
    message:
      'a key of purpose jwt has no sign-message: it has sign-claims, sign-input, read-fingerprint',
  },
  {
    from: '[sign-message]',
    to: '[sign-digest]',
    path: 'grants[1].operations',
    message: 'vault local signs no digests with HS256: grant sign-message in its place',
  },
  {
    from: '[sign-claims, sign-input]',
    to: '[sign-digest ]',
    path: 'grants[2].operations',
    message:
      'a key of purpose jwt has no sign-digest: it has sign-claims, sign-input, read-fingerprint',
  },
  {
    from: '[sign-message]',
    to: '[sign-message, sign-message]',
    path: 'grants[1].operations',
    message: 'an operation stands twice: keep one',
  },
  {
    from: '    maxLifetime: 15m\n',
    to: '',
    path: 'grants[0].maxLifetime',
    message: 'profile generic-jwt needs the longest lifetime that is granted, like 15m',
    at: 'caller: blog',
  },
  {
    from: 'maxLifetime: 15m',
    to: 'maxLifetime: 15',
    path: 'grants[0].maxLifetime',
    message: 'expected string, received number',
  },
  {
    from: 'maxLifetime: 15m',
    to: 'maxLifetime: 1y',
    path: 'grants[0].maxLifetime',
    message: duration,
  },
  {
    from: '[sign-message]',
    to: '[sign-message]\n    maxLifetime: 5m',
    path: 'grants[1].maxLifetime',
    message: 'a key of purpose bytes has no lifetimes: remove it',
    at: 'maxLifetime: 5m',
  },
  {
    from: '[sign-message]',
    to: '[sign-message]\n    claims: {}',
    path: 'grants[1].claims',
    message: 'a key of purpose bytes has no claims: remove them',
    at: 'claims: {}',
  },
  {
    from: '[sign-claims, sign-input]',
    to: '[sign-claims, sign-input]\n    claims: {}',
    path: 'grants[2].claims',
    message: 'with profile github-app a caller may add no claims: remove them',
    at: 'claims: {}',
  },
  { from: 'limit: 20/s', to: 'limit: 20/h', path: 'grants[0].limit', message: rate },
  { from: 'limit: 20/s', to: 'limit: 0/s', path: 'grants[0].limit', message: rate },
  {
    from: '      sub:\n',
    to: '      iss:\n',
    path: 'grants[0].claims.iss',
    message: 'the service sets iss itself: remove the rule',
    at: 'prefix: "tenant:"',
  },
  {
    from: '  - caller: blog\n    key: documents',
    to: '  - { caller: blog, key: reports, operations: [read-fingerprint] }\n  - caller: blog\n    key: documents',
    path: 'grants[1]',
    message: 'read-fingerprint stands in grants[0] too: keep one',
  },
  {
    from: '      sub:\n        prefix: "tenant:"',
    to: `      ${'s'.repeat(65)}: { text: 3 }`,
    path: `grants[0].claims.${'s'.repeat(65)}`,
    message: 'expected string to have <=64 characters',
  },
]

const rules: readonly Pick<Fault, 'to' | 'path' | 'message'>[] = [
  {
    to: 'prefix: tenant',
    path: '.prefix',
    message: 'a prefix ends in one of : / . # so that it cannot match half a name',
  },
  { to: 'prefix: ""', path: '.prefix', message: 'a prefix ends in one of : / . #' },
  { to: 'text: 0', path: '.text', message: 'expected number to be >=1' },
  { to: 'text: 2049', path: '.text', message: 'expected number to be <=2048' },
  { to: 'text: 1.5', path: '.text', message: 'expected int, received number' },
  { to: 'const: 1.5', path: '.const', message: scalar },
  { to: 'const: null', path: '.const', message: scalar },
  { to: 'const: [a]', path: '.const', message: scalar },
  { to: 'oneOf: []', path: '.oneOf', message: 'expected array to have >=1 items' },
  { to: 'oneOf: [a, null]', path: '.oneOf[1]', message: scalar },
  { to: 'oneOf: a', path: '.oneOf', message: 'expected array, received string' },
  {
    to: 'fromCaller: repository_id',
    path: '.fromCaller',
    message: 'blog has no attribute repository_id: it has name',
  },
  { to: 'optional: true', path: '', message: oneCheck },
  {
    to: 'optional: yes\n        text: 3',
    path: '.optional',
    message: 'expected boolean, received string',
  },
  { to: 'text: 3\n        const: a', path: '', message: oneCheck },
]

describe('a fault of a grant is told with its place and its remedy', () => {
  testFaults(grants)
})

test.each(rules)('a claim rule `$to` is refused: $message', ({ to, path, message }) => {
  const text = changed('prefix: "tenant:"', to)
  expect(complaintsOf(text)).toEqual([
    {
      path: `grants[0].claims.sub${path}`,
      message: expect.stringContaining(message),
    },
  ])
})
