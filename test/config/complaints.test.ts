import { describe, expect, test } from 'vitest'
import { complaintsOf, goodConfig, lineOf } from '../support/config-text.ts'
import { duration, type Fault, testFaults } from './faults.ts'

const unknown = 'unknown member: correct or remove it'
const name = (what: string) => `a ${what} name is a-z, 0-9 and -, from a letter, at most 63 long`
const address = 'an address is HOST:PORT, like 127.0.0.1:8480'

const plain: readonly Fault[] = [
  {
    from: 'environment: dev',
    to: 'environment: Dev',
    path: 'environment',
    message: 'an environment is a-z, 0-9 and -, from a letter, like dev',
  },
  {
    from: 'environment: dev\n',
    to: '',
    path: 'environment',
    message: 'missing: add it',
    at: 'allowSoftwareKeys',
  },
  {
    from: 'allowSoftwareKeys: true',
    to: 'allowSoftwareKeys: yes',
    path: 'allowSoftwareKeys',
    message: 'Invalid input: expected boolean, received string',
  },
  {
    from: 'allowSoftwareKeys: true',
    to: 'allowSoftwareKeys: false',
    path: 'vaults.local.provider',
    message:
      'its keys are software keys: whoever has the files has them; set allowSoftwareKeys: true to accept that',
    at: 'provider: local',
  },
  {
    from: 'allowSoftwareKeys: true\n',
    to: '',
    path: 'vaults.local.provider',
    message: 'set allowSoftwareKeys: true',
    at: 'provider: local',
  },
  {
    from: 'environment: dev',
    to: 'environment: dev\nsecrets: {}',
    path: 'secrets',
    message: 'unknown section: correct or remove it',
    at: 'secrets',
  },
  {
    from: 'sqlite: ./var/chancery.db',
    to: 'sqlite: ""',
    path: 'store.sqlite',
    message: 'Too small: expected string to have >=1 characters',
  },
  {
    from: 'digestKeyFile: ./var/audit-digest.key',
    to: 'digestKeyFile: 5',
    path: 'audit.digestKeyFile',
    message: 'expected string, received number',
  },
]

const listeners: readonly Fault[] = [
  {
    from: '127.0.0.1:8480',
    to: '8480',
    path: 'listen.sign.address',
    message: 'expected string, received number',
  },
  { from: '127.0.0.1:8480', to: '127.0.0.1', path: 'listen.sign.address', message: address },
  {
    from: '127.0.0.1:8480',
    to: '127.0.0.1:65536',
    path: 'listen.sign.address',
    message: 'a port is at most 65535',
  },
  {
    from: '127.0.0.1:8480',
    to: '0.0.0.0:8480',
    path: 'listen.sign.address',
    message:
      'not a loopback address: configure tls, or put a TLS proxy in front and say behindProxy: true',
  },
  {
    from: '127.0.0.1:8480',
    to: '"[::]:8480"',
    path: 'listen.sign.address',
    message: 'not a loopback address',
  },
  {
    from: '127.0.0.1:8480',
    to: 'localhost.example:8480',
    path: 'listen.sign.address',
    message: 'not a loopback address',
  },
  {
    from: '127.0.0.1:8480',
    to: '127.0.0.1.example:8480',
    path: 'listen.sign.address',
    message: 'not a loopback address',
  },
  {
    from: '127.0.0.1:8481',
    to: '10.0.0.1:8481',
    path: 'listen.ops.address',
    message: 'the ops listener has no credentials: keep it on loopback',
  },
  {
    from: 'behindProxy: false',
    to: 'behindProxy: 1',
    path: 'listen.sign.behindProxy',
    message: 'expected boolean, received number',
  },
  {
    from: 'drainDelay: 5s',
    to: 'drainDelay: 5',
    path: 'listen.drainDelay',
    message: 'expected string, received number',
  },
  { from: 'drainDelay: 5s', to: 'drainDelay: 0s', path: 'listen.drainDelay', message: duration },
  { from: 'drainDelay: 5s', to: 'drainDelay: 5 s', path: 'listen.drainDelay', message: duration },
]

const entries: readonly Fault[] = [
  {
    from: '    provider: local',
    to: '    provider: floppy',
    path: 'vaults.local.provider',
    message: "Expected 'local'",
  },
  {
    from: '    provider: local\n',
    to: '',
    path: 'vaults.local.provider',
    message: "Expected 'local'",
    at: 'directory: ./var/vault',
  },
  {
    from: '    directory: ./var/vault\n',
    to: '',
    path: 'vaults.local.directory',
    message: 'missing: add it',
    at: 'provider: local',
  },
  {
    from: '  bot:\n',
    to: '  Bot: { vault: local, alg: EdDSA, purpose: bytes }\n  bot:\n',
    path: 'keys.Bot',
    message: name('key'),
  },
  {
    from: '  shop:\n',
    to: `  shop floor: { apiKeys: [{ id: CCCCCCCCCC, sha256: ${'c'.repeat(64)} }] }\n  shop:\n`,
    path: 'callers.shop floor',
    message: name('caller'),
  },
  {
    from: 'vault: local\n    alg: ES256',
    to: 'vault: safe\n    alg: ES256',
    path: 'keys.reports.vault',
    message: 'no such vault: name one of vaults',
  },
  {
    from: 'alg: ES256',
    to: 'alg: ES256K',
    path: 'keys.reports.alg',
    message:
      'expected one of "RS256"|"RS384"|"RS512"|"PS256"|"PS384"|"PS512"|"ES256"|"ES384"|"ES512"|"EdDSA"|"HS256"|"HS384"|"HS512"',
  },
  {
    from: 'alg: ES256',
    to: 'alg: none',
    path: 'keys.reports.alg',
    message: 'expected one of "RS256"',
  },
  {
    from: 'modulusBits: 2048',
    to: 'modulusBits: 1024',
    path: 'keys.bot.modulusBits',
    message: 'expected one of 2048|3072|4096',
  },
  {
    from: 'alg: ES256',
    to: 'alg: ES256\n    modulusBits: 2048',
    path: 'keys.reports.modulusBits',
    message: 'ES256 has no modulus: remove modulusBits',
    at: 'modulusBits: 2048',
  },
  {
    from: 'alg: RS256',
    to: 'alg: PS256',
    path: 'keys.bot.alg',
    message: 'profile github-app needs RS256',
  },
  {
    from: 'alg: ES256',
    to: 'alg: HS256',
    path: 'keys.reports.alg',
    message:
      'HS256 is for api-key-token and for keys of purpose bytes: whoever verifies it can forge it',
  },
  {
    from: 'purpose: bytes',
    to: 'purpose: text',
    path: 'keys.documents.purpose',
    message: 'expected one of "jwt"|"bytes"',
  },
  {
    from: 'purpose: bytes',
    to: 'purpose: bytes\n    profile: { name: generic-jwt, issuer: x }',
    path: 'keys.documents.profile',
    message: 'a key of purpose bytes has no profile: remove it',
    at: 'profile: { name: generic-jwt',
  },
  {
    from: 'source: generated',
    to: 'source: bought',
    path: 'keys.documents.source',
    message: 'expected one of "generated"|"provisioned"|"imported"',
  },
  {
    from: 'name: generic-jwt',
    to: 'name: api-token',
    path: 'keys.reports.profile.name',
    message:
      "Expected 'generic-jwt' | 'github-app' | 'icr-app' | 'contentful-app' | 'client-assertion' | 'api-key-token'",
  },
  {
    from: '      issuer: https://acme.example\n',
    to: '',
    path: 'keys.reports.profile.issuer',
    message: 'missing: add it',
    at: 'name: generic-jwt',
  },
  {
    from: 'name: generic-jwt',
    to: 'name: client-assertion\n      clientId: acme\n      audience: a',
    path: 'keys.reports.profile.issuer',
    message: unknown,
    at: 'issuer: https://acme.example',
  },
  {
    from: 'id: AAAAAAAAAA',
    to: 'id: AAAAAAAAA',
    path: 'callers.blog.apiKeys[0].id',
    message: 'an API key id has 10 letters and digits',
  },
  {
    from: 'id: AAAAAAAAAA',
    to: 'id: 1234567890',
    path: 'callers.blog.apiKeys[0].id',
    message: 'expected string, received number',
  },
  {
    from: `sha256: ${'a'.repeat(64)}`,
    to: `sha256: ${'A'.repeat(64)}`,
    path: 'callers.blog.apiKeys[0].sha256',
    message: 'SHA-256 of the whole API key, 64 digits of hex',
  },
  {
    from: `\n      - id: BBBBBBBBBB\n        sha256: ${'b'.repeat(64)}`,
    to: ' []',
    path: 'callers.shop.apiKeys',
    message: 'at least one API key: run `chancery callers new-key NAME`',
    at: 'apiKeys: []',
  },
  {
    from: 'id: BBBBBBBBBB',
    to: 'id: AAAAAAAAAA',
    path: 'callers.shop.apiKeys[0].id',
    message: 'AAAAAAAAAA stands at blog too: keep one',
    at: `- id: AAAAAAAAAA\n        sha256: b`,
  },
]

describe.each([
  ['the plain sections', plain],
  ['listeners', listeners],
  ['vaults, keys and callers', entries],
])('a fault of %s is told with its place and its remedy', (_, faults) => {
  testFaults(faults)
})

test('the configuration that all of this changes is a good one', () => {
  expect(complaintsOf(goodConfig)).toEqual([])
})

test.each(['vaults', 'keys', 'callers'])('%s that are no mapping are one complaint', (section) => {
  const text = goodConfig.replace(new RegExp(`^${section}:\\n(?: .*\\n)+`, 'm'), `${section}: []\n`)
  expect(complaintsOf(text)).toEqual([
    {
      path: section,
      message: `not a mapping: write NAME: { … } (chancery.yaml:${lineOf(text, `${section}: []`)})`,
    },
  ])
})
