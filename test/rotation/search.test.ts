import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { within } from '../../src/lib/deadline.ts'
import type { KeyGenerator } from '../../src/signing/signer.ts'
import { openEntries } from '../../src/store/journal.ts'
import { takeLease } from '../../src/store/lease.ts'
import type { Store } from '../../src/store/store.ts'
import { listVersionsOf } from '../../src/store/versions.ts'
import { keyOf } from '../support/grant.ts'
import { keyMaker } from '../support/key-maker.ts'
import { leaseOn, rotationDeps, runJob, watchedStore } from '../support/rotation-job.ts'
import { storeFile, storeOfThisTest } from '../support/store-file.ts'

const documents = keyOf('documents')

/** A job whose vault has made a key, or has not, and nobody was told: its entry is open. */
async function interrupted(after: 'before generate' | 'after generate') {
  const store = await storeOfThisTest(await storeFile())
  let isDying = true
  const maker = keyMaker((name) => {
    if (isDying && name === after) throw new Error(`killed ${name}`)
  })
  const deps = rotationDeps(store, maker)
  await expect(runJob(deps, documents)).rejects.toThrow(`killed ${after}`)
  isDying = false
  const searching = (find: KeyGenerator['find']) => ({
    ...deps,
    generatorOf: () => ({ ...maker.generator, find }),
  })
  return { store, maker, deps, searching }
}

const entriesOf = async (store: Store) =>
  (await openEntries(store.connection, 'documents')).map(({ step, n }) => `${step} ${n}`)

/** On another host: nobody there knows whether this process is alive. */
const leaseElsewhere = (store: Store, now: number) =>
  takeLease(store, { id: 'elsewhere', pid: 1, isAlive: () => true }, now)

const made = [
  { version: 'documents@1', step: 'generated' },
  { version: 'documents@1', step: 'activated' },
]

describe('a search of many parts', () => {
  test('keeps the lease, however long it takes: no other job begins, and nothing is made anew', async () => {
    const { store, maker, deps, searching } = await interrupted('after generate')
    const others: unknown[] = []
    const long = searching(async (sought, signal, goOn) => {
      for (let part = 0; part < 40; part += 1) {
        await goOn()
        deps.clock.advance(29_000)
        others.push(await leaseElsewhere(store, deps.clock.now()))
      }
      return maker.generator.find(sought, signal, goOn)
    })
    expect(await runJob(long, documents)).toEqual(made)
    expect(others).toEqual(Array.from({ length: 40 }, () => undefined))
    expect(maker.made).toHaveLength(1)
    expect(await entriesOf(store)).toEqual([])
  })

  test('writes once in five seconds, however short its parts are, and whatever the wall clock says', async () => {
    const { store, maker, deps, searching } = await interrupted('before generate')
    let writes = 0
    let writesOfSearch: number | undefined
    const long = searching(async (sought, signal, goOn) => {
      const before = writes
      for (let part = 0; part < 10_000; part += 1) {
        deps.clock.advance(10)
        if (part === 5_000) deps.clock.step(-3_600_000)
        await goOn()
      }
      writesOfSearch = writes - before
      return maker.generator.find(sought, signal, goOn)
    })
    const counted = watchedStore(store, (point) => {
      if (point === 'after write') writes += 1
    })
    expect(await runJob({ ...long, store: counted }, documents)).toEqual(made)
    expect(writesOfSearch).toBe(20)
  })

  test('ends in five seconds when another job has taken the lease: nothing is made', async () => {
    const { store, maker, deps, searching } = await interrupted('before generate')
    let parts = 0
    const overtaken = searching(async (_, __, goOn) => {
      for (; parts < 10; parts += 1) {
        if (parts === 2) await leaseOn(store)
        await goOn()
        deps.clock.advance(1_000)
      }
      return []
    })
    await expect(runJob(overtaken, documents)).rejects.toMatchObject({
      code: 'refused',
      message: 'Another job has taken over: run it again',
    })
    expect([parts, maker.made.length]).toEqual([5, 0])
    expect(await entriesOf(store)).toEqual(['generate 1'])
  })

  test('that has lost the lease in its last part makes nothing, though it found nothing', async () => {
    const { store, maker, searching } = await interrupted('before generate')
    const overtaken = searching(async () => {
      await leaseOn(store)
      return []
    })
    await expect(runJob(overtaken, documents)).rejects.toMatchObject({ code: 'refused' })
    expect(maker.made).toEqual([])
  })

  test('that fails says what it was for; its entry stays open, and the next run finds what was made', async () => {
    const { store, maker, deps, searching } = await interrupted('after generate')
    const failing = searching(async (_, __, goOn) => {
      await goOn()
      throw new ServiceError('vault_throttled', 'The vault is throttling', {
        details: { retryAfterMs: 2_000 },
      })
    })
    await expect(runJob(failing, documents)).rejects.toMatchObject({
      code: 'vault_throttled',
      message:
        'The vault is throttling. The vault was being searched for what an earlier run has made as documents@1, and nothing is made anew before that is known: run it again',
      details: { retryAfterMs: 2_000 },
    })
    expect(maker.made).toHaveLength(1)
    expect(await entriesOf(store)).toEqual(['generate 1'])
    expect(await runJob(deps, documents)).toEqual(made)
    expect(maker.made).toHaveLength(1)
  })
})

describe('the time of a search', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  /** A vault that answers when it is told to, or when it is given up. */
  function waiting(job: Awaited<ReturnType<typeof interrupted>>) {
    const begun = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<readonly string[]>()
    const deps = job.searching((_, signal) => {
      begun.resolve()
      return within(answer.promise, signal)
    })
    return { deps, hasBegun: begun.promise, answer: answer.resolve }
  }

  test('is not that of a step: after nine minutes a key is made, in a time of its own', async () => {
    const job = await interrupted('before generate')
    const { deps, hasBegun, answer } = waiting(job)
    const wereAborted: boolean[] = []
    const generator: KeyGenerator = {
      ...deps.generatorOf(),
      generate: (request, signal) => {
        wereAborted.push(signal.aborted)
        return job.maker.generator.generate(request, signal)
      },
    }
    const running = runJob({ ...deps, generatorOf: () => generator }, documents)
    await hasBegun
    await vi.advanceTimersByTimeAsync(540_000)
    answer([])
    expect(await running).toEqual(made)
    expect(wereAborted).toEqual([false])
  })

  test('ends after ten minutes: deadline_exceeded, nothing is made, and the next run goes on', async () => {
    const job = await interrupted('before generate')
    const { deps, hasBegun } = waiting(job)
    const running = runJob(deps, documents)
    running.catch(() => {})
    await hasBegun
    await vi.advanceTimersByTimeAsync(600_000)
    await expect(running).rejects.toMatchObject({
      code: 'deadline_exceeded',
      message: expect.stringMatching(/documents@1, and nothing is made anew .*: run it again$/),
    })
    expect(job.maker.made).toEqual([])
    expect(await entriesOf(job.store)).toEqual(['generate 1'])
    expect(await runJob(job.deps, documents)).toEqual(made)
    expect(await listVersionsOf(job.store.connection, 'documents')).toHaveLength(1)
  })
})
