import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { everything, type SuspensionSubject } from '../../src/keys/suspension.ts'
import type { Store } from '../../src/store/store.ts'
import { deleteSuspension, insertSuspension, listSuspensions } from '../../src/store/suspensions.ts'
import { rawOfThisTest, storeFile, storeOfThisTest } from '../support/store-file.ts'

const subjects: readonly SuspensionSubject[] = [
  { kind: 'key', name: 'blog' },
  { kind: 'key', name: 'docs' },
  { kind: 'version', name: 'blog@1' },
  { kind: 'caller', name: 'blog' }, // a caller may be called like a key
  everything,
]

const suspend = (store: Store, subject: SuspensionSubject, reason = 'a test', at = 1) =>
  store.writeTransaction(async ({ connection }) =>
    insertSuspension(connection, { ...subject, reason, at }),
  )
const resume = (store: Store, subject: SuspensionSubject) =>
  store.writeTransaction(async ({ connection }) => deleteSuspension(connection, subject))

async function suspended({ connection }: Store): Promise<ReadonlySet<string>> {
  return new Set((await listSuspensions(connection)).map(nameOf))
}

const nameOf = ({ kind, name }: SuspensionSubject) => `${kind} ${name}`

test('flags are independent: each is set and cleared alone, whatever the others are', async () => {
  const store = await storeOfThisTest(await storeFile())
  const model = new Set<string>()
  const step = fc.record({ subject: fc.constantFrom(...subjects), stop: fc.boolean() })
  const property = fc.asyncProperty(step, async ({ subject, stop }) => {
    const was = model.has(nameOf(subject))
    const changed = await (stop ? suspend(store, subject) : resume(store, subject))
    expect(changed).toBe(was !== stop)
    if (stop) model.add(nameOf(subject))
    else model.delete(nameOf(subject))
    expect(await suspended(store)).toEqual(model)
  })
  await fc.assert(property, { numRuns: 150 })
})

test('resuming everything clears only that one', async () => {
  const store = await storeOfThisTest(await storeFile())
  for (const subject of subjects) await suspend(store, subject)
  await resume(store, everything)
  const others = subjects.filter((subject) => subject !== everything)
  expect(await suspended(store)).toEqual(new Set(others.map(nameOf)))
})

test('a second suspension changes neither the reason nor the instant of the first', async () => {
  const store = await storeOfThisTest(await storeFile())
  expect(await suspend(store, everything, 'the first', 1)).toBe(true)
  expect(await suspend(store, everything, 'the second', 2)).toBe(false)
  expect(await listSuspensions(store.connection)).toEqual([
    { ...everything, reason: 'the first', at: 1 },
  ])
})

test('nothing else can be suspended, whoever writes', async () => {
  const file = await storeFile()
  await storeOfThisTest(file)
  const insert = `insert into suspensions values ('vault', 'local', 'r', 1)`
  expect(() => rawOfThisTest(file).exec(insert)).toThrow('CHECK constraint failed')
})
