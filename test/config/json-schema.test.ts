import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { vaultRules } from '../../src/compose/vaults.ts'
import { configJsonSchema } from '../../src/config/schema.ts'
import { anyDraft, written } from '../support/any-config.ts'
import { changed, complaintsOf, goodConfig } from '../support/config-text.ts'
import { violations } from '../support/json-schema.ts'

const schema = configJsonSchema(vaultRules.schema)

test('whatever the loader takes, the JSON Schema takes', () => {
  fc.assert(
    fc.property(anyDraft, (draft) => {
      const raw = written(draft)
      expect(complaintsOf(stringify(raw))).toEqual([])
      expect(violations(schema, raw)).toEqual([])
    }),
    { numRuns: 60 },
  )
})

test.each([
  [
    'an address in capitals',
    changed('127.0.0.1:8480', '"[::FFFF:127.0.0.1]:8480"\n    behindProxy: true').replace(
      '    behindProxy: false\n',
      '',
    ),
  ],
  ['the shortest', 'environment: dev\nstore: { sqlite: a }\naudit: { digestKeyFile: b }\n'],
  ['all of it', goodConfig],
])('%s: both take it', (_, text) => {
  expect(complaintsOf(text)).toEqual([])
  expect(violations(schema, parse(text))).toEqual([])
})

test.each([
  ['an unknown section', `${goodConfig}catalogs: []\n`, 'catalogs'],
  ['an unknown member', changed('    vault: local', '    vaults: local'), 'keys.reports.vaults'],
  ['a missing member', changed('environment: dev\n', ''), '.environment'],
  ['a bad name', changed('  reports:', '  Reports:'), 'keys.Reports'],
  ['an unknown algorithm', changed('alg: ES256', 'alg: ES257'), 'keys.reports.alg'],
  ['an unknown profile', changed('generic-jwt', 'jwt'), 'keys.reports.profile'],
  ['an unknown operation', changed('sign-message', 'sign'), 'grants[1].operations[0]'],
  [
    'a value of another type',
    changed('prefix: "tenant:"', 'const: [1]'),
    'grants[0].claims.sub.const',
  ],
  ['a prefix without an end', changed('tenant:"', 'tenant"'), 'grants[0].claims.sub.prefix'],
  ['no API key', goodConfig.replace(/apiKeys:\n.*\n.*\n/, 'apiKeys: []\n'), 'callers.blog.apiKeys'],
])('%s: both refuse it', (_, text, path) => {
  expect(complaintsOf(text)).not.toEqual([])
  expect(violations(schema, parse(text))).toContain(path)
})
