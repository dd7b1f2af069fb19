import { describe, expect, test } from 'vitest'
import { ChainVerifier } from '../../src/audit/verify.ts'
import { takeLease } from '../../src/store/lease.ts'
import { readAudit } from '../../src/store/audit-reader.ts'
import { openEntries } from '../../src/store/journal.ts'
import { listOrphans } from '../../src/store/orphans.ts'
import type { Store } from '../../src/store/store.ts'
import { listVersionsOf } from '../../src/store/versions.ts'
import { keyOf } from '../support/grant.ts'
import { keyMaker, type KeyMaker, type Point } from '../support/key-maker.ts'
import { diesAt, rotationDeps, runJob, watchedStore, quiet } from '../support/rotation-job.ts'
import { storeFile, storeOfThisTest } from '../support/store-file.ts'
import { rotateKey } from '../../src/rotation/tick.ts'
import { patience } from '../support/signing-service.ts'

/** PITFALLS §13: create is not idempotent, and a job may die anywhere. */

const documents = keyOf('documents')

/** One vault and one store, in which a job died at its nth point; the next run finds both as they are. */
async function killedAt(n: number, remembers = true) {
  const file = await storeFile()
  const store = await storeOfThisTest(file)
  const killer = diesAt(n)
  let point: Point = killer
  const maker = keyMaker(
    (name) => point(name),
    () => remembers,
  )
  const dying = rotationDeps(watchedStore(store, killer), maker)
  const died = await runJob(dying, documents).then(
    () => false,
    () => true,
  )
  point = () => {}
  return { file, store, maker, died, reached: killer.reached }
}

/** How many points one whole run has. */
async function pointsOfOneRun(): Promise<readonly string[]> {
  return (await killedAt(Infinity)).reached
}

async function finished(store: Store, maker: KeyMaker) {
  await runJob(rotationDeps(store, maker), documents)
  const versions = await listVersionsOf(store.connection, 'documents')
  const open = await openEntries(store.connection, 'documents')
  const journal = await store.connection.selectFrom('journal').select(['n', 'state']).execute()
  return { states: versions.map(({ state }) => state), versions, open, journal }
}

async function chainOf(store: Store): Promise<unknown> {
  const verifier = new ChainVerifier([])
  for await (const link of readAudit(store.connection)) verifier.accept(link)
  return verifier.finish()
}

test('a run passes every external call, before and after', async () => {
  const reached = await pointsOfOneRun()
  const calls = ['write', 'generate', 'open', 'publicKey', 'sign', 'write', 'write', 'write']
  expect(reached.length).toBe(2 * reached.filter((name) => name.startsWith('before')).length)
  for (const call of calls) expect(reached).toContain(`before ${call}`)
})

test('a vault is searched for an intent that was open, never for a new one', async () => {
  const reached: string[] = []
  let isLost = true
  const store = await storeOfThisTest(await storeFile())
  const maker = keyMaker((name) => {
    reached.push(name)
    if (isLost && name === 'after generate') throw new Error('the reply is lost')
  })
  await expect(runJob(rotationDeps(store, maker), documents)).rejects.toThrow('the reply is lost')
  expect(reached).toEqual(['before generate', 'after generate'])
  isLost = false
  await runJob(rotationDeps(store, maker), documents)
  expect(reached.slice(2, 5)).toEqual(['before find', 'after find', 'before open'])
  expect(maker.made).toHaveLength(1)
})

test('of several keys with the tag of an open intent the eldest is adopted, and the others are told', async () => {
  const store = await storeOfThisTest(await storeFile())
  let isLost = true
  const maker = keyMaker((name) => {
    if (isLost && name === 'after generate') throw new Error('the reply is lost')
  })
  await expect(runJob(rotationDeps(store, maker), documents)).rejects.toThrow('the reply is lost')
  isLost = false
  const [request] = maker.made
  if (!request) throw new Error('it was made')
  await maker.generator.generate(request, patience) // as a vault copies tags
  await maker.generator.generate(request, patience)
  const { versions, open } = await finished(store, maker)
  expect(versions).toMatchObject([{ n: 1, state: 'active', resource: 'documents@1-0' }])
  expect(open).toEqual([])
  const intent = request.intentId
  expect(await listOrphans(store.connection)).toEqual([
    { key: 'documents', n: 2, vault: 'local', intent, resource: 'documents@1-1' },
    { key: 'documents', n: 3, vault: 'local', intent, resource: 'documents@1-2' },
  ])
  expect(await chainOf(store)).toMatchObject({ verdict: 'whole' })
})

describe('killed at any point, and run again', () => {
  test('one version signs, no key is lost, none is made twice', async () => {
    const points = await pointsOfOneRun()
    for (const [i, name] of points.entries()) {
      const { store, maker, died } = await killedAt(i + 1)
      expect([name, died]).toEqual([name, true])
      const { states, versions, open } = await finished(store, maker)
      expect([name, states, open]).toEqual([name, ['active'], []])
      // Everything that the vault holds is a version: there is no orphan where the tag is found.
      expect([name, maker.made.length]).toEqual([name, 1])
      expect(versions[0]?.resource).toBe(`${maker.made[0]?.name}-0`)
    }
    expect(points.length).toBeGreaterThan(14)
  })

  test('with a vault that finds nothing by its tag: at most one orphan for each crash', async () => {
    const points = await pointsOfOneRun()
    const orphans: number[] = []
    for (const [i, name] of points.entries()) {
      const { store, maker } = await killedAt(i + 1, false)
      const { states } = await finished(store, maker)
      expect([name, states]).toEqual([name, ['active']])
      orphans.push(maker.made.length - 1)
      const tags = new Set(maker.made.map(({ intentId }) => intentId))
      expect([name, tags.size]).toEqual([name, 1]) // by which an orphan is found
    }
    expect(Math.max(...orphans)).toBe(1)
    expect(Math.min(...orphans)).toBe(0)
  })

  test('no number is used for two versions, and the journal is closed', async () => {
    const points = await pointsOfOneRun()
    for (const [i, name] of points.entries()) {
      const { store, maker } = await killedAt(i + 1)
      const { journal, versions } = await finished(store, maker)
      expect([name, journal]).toEqual([name, [{ n: 1, state: 'done' }]])
      expect(versions.map(({ n }) => n)).toEqual([1])
    }
  })

  test('the audit has each step once, in a chain that holds', async () => {
    const points = await pointsOfOneRun()
    for (const [i, name] of points.entries()) {
      const { store, maker } = await killedAt(i + 1)
      await finished(store, maker)
      const whole = expect.objectContaining({ verdict: 'whole', records: 3 })
      expect([name, await chainOf(store)]).toEqual([name, whole])
    }
  })

  test('twice, at any two points', async () => {
    const points = await pointsOfOneRun()
    for (let first = 1; first <= points.length; first += 3) {
      for (let second = 1; second <= points.length; second += 2) {
        const { store, maker } = await killedAt(first)
        const again = rotationDeps(watchedStore(store, diesAt(second)), maker)
        await runJob(again, documents).catch(() => {})
        const { states, open } = await finished(store, maker)
        expect([first, second, states, open]).toEqual([first, second, ['active'], []])
        expect(maker.made).toHaveLength(1)
      }
    }
  })
})

describe('two jobs at once', () => {
  const holder = (id: string, isAlive: boolean) => ({ id, pid: 1, isAlive: () => isAlive })

  test('one works, the other is told that it is busy', async () => {
    const store = await storeOfThisTest(await storeFile())
    const first = takeLease(store, holder('first', true), 0)
    const second = takeLease(store, holder('second', true), 0)
    expect(await Promise.all([first, second])).toEqual([{ holder: 'first', fence: 1 }, undefined])
  })

  test('that both believe to hold the lease make one version of one key', async () => {
    const store = await storeOfThisTest(await storeFile())
    const maker = keyMaker()
    const stale = await takeLease(store, holder('stale', false), 0)
    const fresh = await takeLease(store, holder('fresh', false), 0)
    if (!stale || !fresh) throw new TypeError('no lease')
    const deps = rotationDeps(store, maker)
    const [first, second] = await Promise.allSettled([
      rotateKey(deps, stale, documents, quiet),
      rotateKey(deps, fresh, documents, quiet),
    ])
    expect([first.status, second.status]).toEqual(['rejected', 'fulfilled'])
    expect(first).toMatchObject({ reason: { code: 'refused' } })
    expect(maker.made).toHaveLength(1)
    expect(await listVersionsOf(store.connection, 'documents')).toMatchObject([
      { n: 1, state: 'active' },
    ])
  })
})
