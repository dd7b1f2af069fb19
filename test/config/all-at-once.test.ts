import { expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { changed, complaintsOf, goodConfig, loadText } from '../support/config-text.ts'

const exchanges = [
  ['environment: dev', 'environment: DEV'],
  ['sqlite: ./var/chancery.db', 'postgres: {}'],
  ['127.0.0.1:8480', '0.0.0.0:8480'],
  ['drainDelay: 5s', 'drainDelay: soon'],
  ['digestKeyFile', 'digestFile'],
  ['masterKeyFile: ./var/master.key', 'masterKeyFile: 1'],
  ['alg: ES256', 'alg: ES257'],
  ['profile: { name: github-app, issuer: Iv23li }', 'purpose: jwt'],
  ['purpose: bytes', 'purpose: bytes\n    profile: { name: github-app, issuer: a }'],
  ['id: AAAAAAAAAA', 'id: A'],
  ['id: BBBBBBBBBB', 'id: BBBBBBBBBB\n        secret: s'],
  ['[sign-message]', '[sign-messages]'],
  ['limit: 20/s', 'limit: fast'],
  ['[sign-claims, sign-input]', '[sign-claims, sign-claims]'],
] as const

test('a file with fourteen faults is told all of them at once, each once', () => {
  const text = exchanges.reduce((now, [from, to]) => changed(from, to, now), goodConfig)
  const told = complaintsOf(text)
  expect(told.map(({ path }) => path).toSorted()).toEqual(
    [
      'environment',
      'store.sqlite',
      'store.postgres',
      'listen.drainDelay',
      'audit.digestKeyFile',
      'audit.digestFile',
      'vaults.local.masterKeyFile',
      'keys.reports.alg',
      'keys.bot.profile',
      'keys.documents.profile',
      'callers.blog.apiKeys[0].id',
      'callers.shop.apiKeys[0].secret',
      'grants[0].limit',
      'grants[1].operations[0]',
      'grants[2].operations',
    ].toSorted(),
  )
  expect(told.every(({ message }) => /\(chancery\.yaml:\d+\)$/.test(message))).toBe(true)
})

test('the count of the problems is in the message', () => {
  const load = () => loadText(changed('alg: ES256', 'alg: ES257\n    color: red'))
  expect(load).toThrow(ServiceError)
  expect(load).toThrow(/chancery\.yaml has 2 problems$/)
  expect(() => loadText(changed('alg: ES256', 'alg: ES257'))).toThrow(/has 1 problem$/)
})

test.each([
  ['a vault', changed('    provider: local', '    provider: floppy'), 'vaults.local.provider'],
  ['a key', changed('alg: ES256', 'alg: ES257'), 'keys.reports.alg'],
  [
    'a key without its profile',
    changed('    profile:\n      name: generic-jwt\n      issuer: https://acme.example\n', ''),
    'keys.reports.profile',
  ],
  [
    'a key that is nothing',
    goodConfig.replace(/ {2}documents:\n(?: {4}.*\n)+/, '  documents:\n'),
    'keys.documents',
  ],
  ['a caller', changed('id: AAAAAAAAAA', 'id: A'), 'callers.blog.apiKeys[0].id'],
])('%s that is damaged is no second complaint where it is named', (_, text, path) => {
  expect(complaintsOf(text).map((complaint) => complaint.path)).toEqual([path])
})
