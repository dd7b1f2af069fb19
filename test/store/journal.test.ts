import { expect, test } from 'vitest'
import { z } from 'zod'
import { closeEntry, nextNumber, openEntries, openEntry } from '../../src/store/journal.ts'
import type { Store } from '../../src/store/store.ts'
import { addVersions, storeFile, storeOfThisTest, versionOf } from '../support/store-file.ts'
import { storeProcesses } from '../support/store-processes.ts'

const entry = (id: string, n: number, key = 'blog') =>
  ({ id, step: 'generate', key, n, at: 7 }) as const

const open = (store: Store, ...entries: readonly ReturnType<typeof entry>[]) =>
  store.writeTransaction(async (transaction) => {
    for (const one of entries) await openEntry(transaction, one)
  })

test('what was begun is known until its end is, by key and in the order it was begun', async () => {
  const store = await storeOfThisTest(await storeFile())
  await open(store, entry('01B', 2), entry('01A', 1), entry('01C', 1, 'docs'))
  expect(await openEntries(store.connection, 'blog')).toMatchObject([
    entry('01A', 1),
    entry('01B', 2),
  ])
  await store.writeTransaction(async (transaction) => {
    await closeEntry(transaction, '01A', 'blog@1.json')
    await closeEntry(transaction, '01C', undefined)
  })
  expect(await openEntries(store.connection, 'blog')).toMatchObject([entry('01B', 2)])
  expect(await openEntries(store.connection, 'docs')).toEqual([])
})

test('an intent is written once', async () => {
  const store = await storeOfThisTest(await storeFile())
  await open(store, entry('01A', 1))
  await expect(open(store, entry('01A', 2))).rejects.toThrow('UNIQUE')
})

test('a number is never given twice: neither that of a version, nor one that was only reserved', async () => {
  const store = await storeOfThisTest(await storeFile())
  const next = (key = 'blog') => nextNumber(store.connection, key)
  expect(await next()).toBe(1)
  await addVersions(store, versionOf('blog', 3, { state: 'revoked' }), versionOf('docs', 9))
  expect(await next()).toBe(4)
  await open(store, entry('01A', 4))
  expect(await next()).toBe(5)
  // Closed without a version: there is a gap, and it stays.
  await store.writeTransaction(async (transaction) => closeEntry(transaction, '01A', undefined))
  expect(await next()).toBe(5)
  await addVersions(store, versionOf('blog', 5))
  expect([await next(), await next('docs'), await next('other')]).toEqual([6, 10, 1])
})

const each = 50

test('a number that is rolled back was never given, and is given once', async () => {
  const store = await storeOfThisTest(await storeFile())
  const failed = store.writeTransaction(async (transaction) => {
    await openEntry(transaction, entry('01A', await nextNumber(transaction.connection, 'blog')))
    throw new Error('no')
  })
  await expect(failed).rejects.toThrow('no')
  expect(await nextNumber(store.connection, 'blog')).toBe(1)
  expect(await openEntries(store.connection, 'blog')).toEqual([])
})

test('three processes that take numbers as fast as they can get each number once, without a gap', async () => {
  const file = await storeFile()
  await storeOfThisTest(file)
  const processes = await storeProcesses(3)
  await Promise.all(processes.map(({ tell }) => tell({ do: 'keep open', file })))
  const order = { do: 'reserve', key: 'blog', count: each }
  const taken = await Promise.all(processes.map(({ tell }) => tell(order)))
  const numbers = taken.flatMap((some) => z.array(z.int()).parse(some)).toSorted((a, b) => a - b)
  expect(numbers).toEqual(Array.from({ length: 3 * each }, (_, i) => i + 1))
})
