import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import type { AuditBatch } from '../../src/audit/log.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { AuditThread } from '../../src/store/audit-thread.ts'
import { unprovedBy } from '../../src/store/proofs.ts'
import type { Store } from '../../src/store/store.ts'
import { listSuspensions } from '../../src/store/suspensions.ts'
import { intent, outcome, stored } from '../support/audit-records.ts'
import {
  addVersions,
  identityOf,
  linksIn,
  rawOfThisTest,
  storeFile,
  storeOfThisTest,
  versionOf,
} from '../support/store-file.ts'
import { storeProcesses } from '../support/store-processes.ts'

function threadOn(file: string): AuditThread {
  const thread = new AuditThread(file, identityOf('S', 'serve'))
  onTestFinished(() => thread[Symbol.asyncDispose]())
  return thread
}

async function newHouse() {
  const file = await storeFile()
  const store = await storeOfThisTest(file)
  await addVersions(store, versionOf('blog'), versionOf('docs', 1, { state: 'retired' }))
  return { file, store }
}

function batch(request: string, key = 'blog'): AuditBatch {
  const body = JSON.stringify(intent(request, { key }))
  return { intents: [{ caller: 'web', key, version: 1, body }], notes: [], checks: [] }
}

async function records(store: Store): Promise<readonly string[]> {
  const links = await linksIn(store)
  return stored(links.slice(1).map(({ body }) => body))
}

const diedMessage = 'The audit writer has stopped: restart the service'

test('what it answers is stored, in the order it was asked', async () => {
  const { file, store } = await newHouse()
  const thread = threadOn(file)
  const notes = [JSON.stringify(outcome('01A'))]
  const answers = await Promise.all([
    thread.commit(batch('01A')),
    thread.commit(batch('01B', 'docs')),
    thread.commit({ intents: [], notes, checks: batch('01A').intents }),
  ])
  expect(answers.map(({ intents, checks }) => [...intents, ...checks])).toEqual([
    ['may_sign'],
    ['version_not_active'],
    ['may_sign'],
  ])
  expect(await records(store)).toEqual(['intent 01A', 'outcome 01A'])
})

test('a version that it suspends signs no more: the next intent is refused, and the record tells why', async () => {
  const { file, store } = await newHouse()
  const thread = threadOn(file)
  await thread.commit(batch('01A'))
  const suspension = { name: 'blog@1', reason: 'The key is disabled' }
  const [isNew, refused, isNewAgain] = await Promise.all([
    thread.suspendVersion(suspension),
    thread.commit({ ...batch('01B'), checks: batch('01A').intents }),
    thread.suspendVersion(suspension),
  ])
  expect([isNew, refused, isNewAgain]).toEqual([
    true,
    { intents: ['suspended'], checks: ['suspended'] },
    false,
  ])
  const links = await linksIn(store)
  const bodies = links.map(({ body }) => JSON.parse(body))
  expect(bodies.filter(({ type }) => type === 'command')).toEqual([
    {
      type: 'command',
      command: 'suspend',
      at: expect.any(Number),
      actor: 'serve',
      subject: 'version blog@1',
      reason: 'The key is disabled',
      after: 'suspended',
    },
  ])
  expect(await listSuspensions(store.connection)).toMatchObject([
    { kind: 'version', name: 'blog@1', reason: 'The key is disabled' },
  ])
})

test('it reads the versions, and says when nothing has changed', async () => {
  const { file } = await newHouse()
  const thread = threadOn(file)
  const first = await thread.snapshot(undefined)
  expect(first?.versions.map(({ key, state }) => `${key} ${state}`)).toEqual([
    'blog active',
    'docs retired',
  ])
  expect(first?.versions[0]?.spki).toHaveLength(91)
  expect(await thread.snapshot(first?.revision)).toBeUndefined()
})

test('closing stores what was asked before it, and ends the thread', async () => {
  const { file, store } = await newHouse()
  const thread = threadOn(file)
  const asked = [thread.commit(batch('01A')), thread.commit(batch('01B'))]
  await thread[Symbol.asyncDispose]()
  await Promise.all(asked)
  expect(await records(store)).toEqual(['intent 01A', 'intent 01B'])
  expect(thread.isAlive).toBe(false)
})

test('it says that the process serves, until it is closed', async () => {
  const { file, store } = await newHouse()
  const thread = threadOn(file)
  const version = { key: 'blog', n: 2 }
  const waitingFor = async () => {
    const unproved = await unprovedBy(store.connection, [version], systemClock.now())
    return unproved.map(({ code, host, pid }) => [host, pid, code])
  }
  const proof = { ...version, code: 'vault_denied', at: 7 } as const
  await thread.beat({ host: 'node-1', pid: 42, proofs: [proof] })
  expect(await waitingFor()).toEqual([['node-1', 42, 'vault_denied']])
  await thread[Symbol.asyncDispose]()
  expect(await waitingFor()).toEqual([])
})

test('a thread that cannot open its store is dead, and says so to everyone who waits or asks', async () => {
  const file = await storeFile()
  const thread = threadOn(`${file}/nowhere/chancery.db`)
  const died = { code: 'store_unavailable', message: diedMessage }
  const asked = [thread.commit(batch('01A')), thread.snapshot(undefined)]
  for (const one of await Promise.allSettled(asked)) {
    expect(one).toMatchObject({ status: 'rejected', reason: died })
  }
  expect(thread.isAlive).toBe(false)
  await expect(thread.commit(batch('01B'))).rejects.toMatchObject(died)
})

test('a thread that is ended from outside fails what waits for it, and nothing waits for ever', async () => {
  const { file, store } = await newHouse()
  const started: Promise<readonly Worker[]> = once(process, 'worker')
  const thread = threadOn(file)
  const [worker] = await started
  await thread.commit(batch('01A'))
  expect(thread.isAlive).toBe(true)
  rawOfThisTest(file).exec('begin immediate') // so that it is in the middle of something
  const asked = [thread.commit(batch('01B')), thread.commit(batch('01C'))]
  const settled = Promise.allSettled(asked)
  await worker?.terminate()
  for (const one of await settled) {
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'store_unavailable' } })
  }
  expect(thread.isAlive).toBe(false)
  await expect(thread.commit(batch('01D'))).rejects.toMatchObject({ message: diedMessage })
  await thread[Symbol.asyncDispose]()
  expect(await records(store)).toEqual(['intent 01A'])
})

const turnsMin = 100

test('while another process holds the lock for too long, this one does everything else; then it heals', async () => {
  const { file, store } = await newHouse()
  const thread = threadOn(file)
  await thread.commit(batch('01A'))
  const [other] = await storeProcesses(1)
  await other?.tell({ do: 'lock', file })

  const asked = thread.commit(batch('01B'))
  expect(await turnsUntil(asked)).toBeGreaterThan(turnsMin)
  await expect(asked).rejects.toMatchObject({
    code: 'store_unavailable',
    message: expect.stringContaining('another process holds its write lock'),
  })
  expect(await thread.snapshot(undefined)).toMatchObject({ versions: [{}, {}] })

  await other?.tell({ do: 'unlock' })
  await expect(thread.commit(batch('01C'))).resolves.toMatchObject({ intents: ['may_sign'] })
  expect(await records(store)).toEqual(['intent 01A', 'intent 01C'])
})

/** How often this thread's event loop went round meanwhile. */
async function turnsUntil(promise: Promise<unknown>): Promise<number> {
  const state = { isSettled: false, turns: 0 }
  const settle = () => void (state.isSettled = true)
  promise.then(settle, settle)
  for (; !state.isSettled; state.turns += 1) await nextTurn()
  return state.turns
}
