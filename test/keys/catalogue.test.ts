import { describe, expect, test } from 'vitest'
import { catalogueSchema } from '../../src/keys/catalogue.ts'

const digest = 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg'

const generation = {
  resource: 'arn:aws:kms:eu-central-1:111122223333:key/0b6a',
  state: 'enabled',
  initial: true,
  public_key_sha256: digest,
  created: '2026-09-01',
}

const catalogue = {
  schema_version: 1,
  environment: 'prod',
  keys: { reports: { vault: 'aws', alg: 'PS256', generations: { '2026-09': generation } } },
  revoked: [digest],
  meta: { writer: { terraform: '1.11.4' } },
}

const withGeneration = (change: object) => ({
  ...catalogue,
  keys: {
    reports: {
      vault: 'aws',
      alg: 'PS256',
      generations: { '2026-09': { ...generation, ...change } },
    },
  },
})

describe('a catalogue', () => {
  test('is read as it was written', () => {
    expect(catalogueSchema.parse(catalogue)).toEqual(catalogue)
  })

  test('may leave out what nobody has to say', () => {
    const { schema_version, environment } = catalogue
    expect(catalogueSchema.parse({ schema_version, environment, keys: {} })).toEqual({
      schema_version,
      environment,
      keys: {},
      revoked: [],
      meta: {},
    })
  })

  test.each([
    ['a later schema', { ...catalogue, schema_version: 2 }],
    ['an unknown member', { ...catalogue, secrets: {} }],
    ['an unknown member of a generation', withGeneration({ material: 'MIIE' })],
    ['an unknown state', withGeneration({ state: 'active' })],
    ['a digest in hex', withGeneration({ public_key_sha256: 'ab'.repeat(32) })],
    ['a digest with stray bits', withGeneration({ public_key_sha256: `${'A'.repeat(42)}B` })],
    ['a generation without a resource', withGeneration({ resource: '' })],
    [
      'a key name that no key can have',
      { ...catalogue, keys: { Reports: catalogue.keys.reports } },
    ],
    [
      'an algorithm that nobody has',
      { ...catalogue, keys: { reports: { ...catalogue.keys.reports, alg: 'none' } } },
    ],
  ])('with %s is refused', (_, changed) => {
    expect(catalogueSchema.safeParse(changed).success).toBe(false)
  })
})
