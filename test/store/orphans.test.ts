import { expect, test } from 'vitest'
import type { KeyVersion } from '../../src/keys/version.ts'
import { confirmDeleted } from '../../src/service/confirm.ts'
import { orphanTasks } from '../../src/service/tasks.ts'
import { insertKeyFacts } from '../../src/store/keys.ts'
import { insertOrphan, listOrphans } from '../../src/store/orphans.ts'
import { insertVersion } from '../../src/store/versions.ts'
import { keyOf } from '../support/grant.ts'
import { manualClock } from '../support/manual-clock.ts'
import { linksIn, storeFile, storeOfThisTest, versionOf } from '../support/store-file.ts'

/** A key that a run has left in a vault, and that may come to be a version after all. */

const resource = 'arn:aws:kms:eu-central-1:111122223333:key/left'
const orphan = { key: 'bot', n: 1, vault: 'local', intent: 'intent-1', resource }
const version = (key: string, n: number, part: Partial<KeyVersion>) =>
  versionOf(key, n, { vault: 'local', state: 'active', ...part })

async function storeWith(...versions: readonly KeyVersion[]) {
  const store = await storeOfThisTest(await storeFile())
  await store.writeTransaction(async (transaction) => {
    await insertOrphan(transaction, orphan, 1)
    for (const one of versions) {
      await insertKeyFacts(transaction, keyOf(one.key, { vault: one.vault }), 1)
      await insertVersion(transaction.connection, one)
    }
  })
  return store
}

test('what is no version is an orphan', async () => {
  const { connection } = await storeWith(version('bot', 2, { resource: 'another' }))
  expect(await listOrphans(connection)).toEqual([orphan])
  expect(await listOrphans(connection, 'bot')).toEqual([orphan])
  expect(await listOrphans(connection, 'other')).toEqual([])
})

test.each([
  ['its own key', 'bot'],
  ['another key', 'other'],
])(
  'what Terraform has made a version of %s is none, and nobody is told to delete it',
  async (_, key) => {
    const { connection } = await storeWith(version(key, 2, { resource }))
    expect(await listOrphans(connection)).toEqual([])
    expect(orphanTasks(await listOrphans(connection, 'bot'))).toEqual([])
  },
)

test('a version of the same name in another vault is another key', async () => {
  const { connection } = await storeWith(
    version('bot', 2, { resource: 'another' }),
    version('other', 1, { resource, vault: 'elsewhere' }),
  )
  expect(await listOrphans(connection)).toEqual([orphan])
})

test('of two who say at once that it is deleted, one is told that it is no orphan any more', async () => {
  const deps = { store: await storeWith(), clock: manualClock(), actor: 'ada@host' }
  const asked = await Promise.allSettled(
    [1, 2].map(() => confirmDeleted(deps, new Map(), { version: 'bot@1' })),
  )
  expect(asked).toMatchObject([
    { status: 'fulfilled', value: { before: 'orphan', after: 'destroyed' } },
    { reason: { code: 'refused', message: expect.stringContaining('no orphan any more') } },
  ])
  expect(await linksIn(deps.store)).toHaveLength(2) // the writer’s own, and one
})

test('a key that is a version is not said to be destroyed, whatever its number once was', async () => {
  const store = await storeWith(version('bot', 2, { resource }))
  const deps = { store, clock: manualClock(), actor: 'ada@host' }
  const asked = confirmDeleted(deps, new Map(), { version: 'bot@1' })
  await expect(asked).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('There is no version bot@1'),
  })
  expect(await linksIn(store)).toEqual([])
})
