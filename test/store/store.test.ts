import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Store, WriteTransaction } from '../../src/store/store.ts'
import {
  commandRecord,
  identityOf,
  linksIn,
  recordCommand,
  rawOfThisTest,
  storeFile,
  storeOfThisTest,
  verified,
} from '../support/store-file.ts'

test('a change and its record are stored together or not at all', async () => {
  const store = await storeOfThisTest(await storeFile())
  await expect(store.writeTransaction(failing)).rejects.toThrow('no')
  expect(await stateOf(store)).toEqual({ suspensions: 0, records: 0 })
  await store.writeTransaction(changing)
  expect(await stateOf(store)).toEqual({ suspensions: 1, records: 2 })
})

test('the first record names the writer, its program and environment; opening alone leaves none', async () => {
  const file = await storeFile()
  const store = await storeOfThisTest(file, 'A')
  await storeOfThisTest(file, 'B')
  expect(await stateOf(store)).toEqual({ suspensions: 0, records: 0 })
  await recordCommand(store, { at: 77 })
  const [first] = await linksIn(store)
  expect(JSON.parse(first?.body ?? '')).toEqual({
    type: 'writer',
    at: 77,
    ...identityOf('A'),
    heads: [],
  })
})

test('transactions of one process wait for each other, and one that fails disturbs no other', async () => {
  const store = await storeOfThisTest(await storeFile())
  const works = Array.from({ length: 30 }, (_, i) => (i % 3 === 1 ? failing : changing))
  const results = await Promise.allSettled(works.map((work) => store.writeTransaction(work)))
  expect(results.map(({ status }) => status)).toEqual(
    works.map((work) => (work === failing ? 'rejected' : 'fulfilled')),
  )
  expect(await stateOf(store)).toEqual({ suspensions: 1, records: 21 })
  expect((await verified(store)).verdict).toBe('whole')
})

test('a write lock is taken before anything is read', async () => {
  const file = await storeFile()
  const store = await storeOfThisTest(file)
  const other = rawOfThisTest(file)
  await store.writeTransaction(async ({ connection }) => {
    await connection.selectFrom('meta').selectAll().execute()
    expect(() => other.exec('begin immediate')).toThrow('locked')
  })
  other.exec('begin immediate; rollback')
})

test('while another process holds the lock, a command waits for it, and nothing else does', async () => {
  const file = await storeFile()
  const store = await storeOfThisTest(file)
  const other = rawOfThisTest(file)
  other.exec('begin immediate')
  const written = store.writeTransaction(changing)
  for (let turn = 0; turn < 100; turn += 1) await nextTurn()
  other.exec('rollback')
  await written
  expect(await stateOf(store)).toEqual({ suspensions: 1, records: 2 })
})

test('a lock that is held for good is given up, with what to do about it, and all goes on after', async () => {
  const file = await storeFile()
  const store = await storeOfThisTest(file)
  const other = rawOfThisTest(file)
  other.exec('begin immediate')
  await expect(store.writeTransaction(changing)).rejects.toMatchObject({
    code: 'store_unavailable',
    message: expect.stringContaining('another process holds its write lock'),
  })
  other.exec('rollback')
  await store.writeTransaction(changing)
  expect(await stateOf(store)).toEqual({ suspensions: 1, records: 2 })
  expect((await verified(store)).verdict).toBe('whole')
})

async function changing(transaction: WriteTransaction): Promise<void> {
  await transaction.connection
    .insertInto('suspensions')
    .values({ kind: 'everything', name: '*', reason: 'a test', at: 1 })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  transaction.record(commandRecord())
}

async function failing(transaction: WriteTransaction): Promise<void> {
  await changing(transaction)
  throw new Error('no')
}

async function stateOf({ connection }: Store) {
  const suspensions = await connection.selectFrom('suspensions').selectAll().execute()
  const records = await connection.selectFrom('audit').select('seq').execute()
  return { suspensions: suspensions.length, records: records.length }
}
