import { describe, expect, test } from 'vitest'
import { admit, register } from '../../../src/registry/server/register.ts'
import { insertKey } from '../../../src/registry/server/store/keys.ts'
import { orphanRsa, contentfulJwk } from '../../support/registry-keys.ts'
import { registryStore, testRegistry, type TestRegistry } from '../../support/registry.ts'

const rounds = 20
const racers = 8

const bearerOf = ({ admin }: TestRegistry) =>
  ({ id: admin.split('_')[1] ?? '', organization: 'acme', role: 'admin' }) as const

function appKey(registry: TestRegistry, app: string, key = orphanRsa()) {
  const { kid } = contentfulJwk(key)
  const facts = { alg: 'RS256', shape: 'contentful', createdAt: 1 } as const
  return { kid, app, spki: key.spki, createdBy: bearerOf(registry).id, ...facts }
}

/** Each on a connection of its own, as another process would be. */
async function connections(registry: TestRegistry) {
  return Promise.all(Array.from({ length: racers }, () => registryStore(registry.file)))
}

describe('of registrations at the same time, on eight connections', () => {
  test('of one key pair for two apps, one is admitted, and the others hear that it is in use', async () => {
    const registry = await testRegistry()
    const stores = await connections(registry)
    for (let round = 0; round < rounds; round += 1) {
      const key = orphanRsa()
      const admissions = await Promise.all(
        stores.map((store, i) => {
          const command = { key: appKey(registry, i % 2 ? 'blog' : 'shop', key), maxKeys: 1_000 }
          return register(store, { ...command, bearer: bearerOf(registry) })
        }),
      )
      const others = Array.from({ length: racers - 1 }, () => 'key_pair_in_use')
      expect(admissions.toSorted()).toEqual(['admitted', ...others])
    }
  })

  test('of eight keys for three slots, three are admitted', async () => {
    const registry = await testRegistry()
    const stores = await connections(registry)
    const admissions = await Promise.all(
      stores.map((store) =>
        register(store, { key: appKey(registry, 'blog'), maxKeys: 3, bearer: bearerOf(registry) }),
      ),
    )
    expect(admissions.filter((admission) => admission === 'admitted')).toHaveLength(3)
    expect(admissions.filter((admission) => admission === 'slots_full')).toHaveLength(racers - 3)
  })
})

test('the index refuses a key pair that is there, whatever was decided before', async () => {
  const registry = await testRegistry()
  const key = appKey(registry, 'blog')
  const insert = (kid: string, app: string) =>
    registry.store.writeTransaction((transaction) => insertKey(transaction, { ...key, kid, app }))
  expect(await insert(key.kid, 'blog')).toBe(true)
  expect(await insert(key.kid, 'shop')).toBe(false)
  expect(await insert('another-kid', 'shop')).toBe(false)
})

test('a key pair that is in use is refused for that, whether there is a slot or not', () => {
  const facts = { isRegistered: true, keys: 3, maxKeys: 3 }
  expect(admit(facts)).toBe('key_pair_in_use')
  expect(admit({ ...facts, keys: 0 })).toBe('key_pair_in_use')
  expect(admit({ ...facts, isRegistered: false })).toBe('slots_full')
  expect(admit({ ...facts, isRegistered: false, keys: 4 })).toBe('slots_full')
  expect(admit({ ...facts, isRegistered: false, keys: 2 })).toBe('admitted')
})
