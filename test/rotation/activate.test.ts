import { expect, test } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import { insertSuspension } from '../../src/store/suspensions.ts'
import { listVersionsOf } from '../../src/store/versions.ts'
import { keyOf } from '../support/grant.ts'
import { keyMaker } from '../support/key-maker.ts'
import { askedFor, rotationDeps, runJob } from '../support/rotation-job.ts'
import { storeFile, storeOfThisTest } from '../support/store-file.ts'

/** Between the decision to switch and the switch its vault is asked for the time, which takes seconds. */

const documents = keyOf('documents')

/** `documents@1` signs, and a job is to replace it. */
async function switching(meanwhile: (store: Store) => Promise<void>, isForced = false) {
  const store = await storeOfThisTest(await storeFile())
  const deps = rotationDeps(store, keyMaker())
  await runJob(deps, documents)
  const asked = askedFor({ isNamed: true, now: 'with overlap', isForced })
  const hearVaultOf = async () => meanwhile(store)
  const done = await runJob({ ...deps, asked, hearVaultOf }, documents)
  const versions = await listVersionsOf(store.connection, 'documents')
  return { done: done.map(({ step }) => step), states: versions.map(({ state }) => state) }
}

const suspended = (kind: 'version' | 'key' | 'everything', name: string) => (store: Store) =>
  store.writeTransaction(async ({ connection }) => {
    await insertSuspension(connection, { kind, name, reason: 'a test', at: 1 })
  })

test.each([
  ['version', 'documents@2'],
  ['key', 'documents'],
  ['everything', '*'],
] as const)('what is suspended meanwhile by %s does not come to sign', async (kind, name) => {
  expect(await switching(suspended(kind, name))).toEqual({
    done: ['generated'],
    states: ['active', 'created'],
  })
})

/** A process whose heartbeat is new, and that has proved nothing. */
async function begun(store: Store): Promise<void> {
  await store.writeTransaction(async ({ connection }) => {
    const process = { id: 'a', host: 'host-a', pid: 7, beat_at: 1_800_000_000_000 }
    await connection
      .insertInto('processes')
      .values(process)
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  })
}

test('a process that begins to serve meanwhile is waited for, unless a human answers for it', async () => {
  expect(await switching(begun)).toEqual({ done: ['generated'], states: ['active', 'created'] })
  expect(await switching(begun, true)).toEqual({
    done: ['generated', 'activated', 'retiring'],
    states: ['retiring', 'active'],
  })
})
