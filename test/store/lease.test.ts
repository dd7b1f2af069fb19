import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Lease, releaseLease, renewLease, takeLease } from '../../src/store/lease.ts'
import type { Store } from '../../src/store/store.ts'
import { storeFile, storeOfThisTest } from '../support/store-file.ts'
import { type StoreProcess, storeProcesses } from '../support/store-processes.ts'

const leaseMs = 30_000

/** A job in a process of its own, which lives. */
const job = (id: string) => ({ id, pid: id.charCodeAt(0), isAlive: () => true })

/** What the table says: nothing but a lease that is held. */
async function held({ connection }: Store) {
  const [row] = await connection.selectFrom('leases').selectAll().execute()
  return row && { holder: row.holder, fence: row.fence, until: row.expires_at }
}

const renew = (store: Store, lease: Lease, now: number) =>
  store.writeTransaction(async (transaction) => renewLease(transaction, lease, now))

test('a lease is that of one holder until it is given back', async () => {
  const store = await storeOfThisTest(await storeFile())
  const lease = await takeLease(store, job('a'), 0)
  expect(lease).toEqual({ holder: 'a', fence: 1 })
  expect(await takeLease(store, job('b'), 1)).toBeUndefined()
  expect(await takeLease(store, { ...job('a'), pid: 1 }, 1)).toBeUndefined()
  if (lease) await releaseLease(store, lease)
  expect(await takeLease(store, job('b'), 2)).toEqual({ holder: 'b', fence: 2 })
})

test('one that has expired, or whose holder has died, is taken over at once, with a higher fence', async () => {
  const store = await storeOfThisTest(await storeFile())
  await takeLease(store, job('a'), 0)
  expect(await takeLease(store, job('b'), leaseMs - 1)).toBeUndefined()
  expect(await takeLease(store, job('b'), leaseMs)).toEqual({ holder: 'b', fence: 2 })
  const sees = { ...job('c'), isAlive: (pid: number) => pid !== job('b').pid }
  expect(await takeLease(store, sees, leaseMs + 1)).toEqual({ holder: 'c', fence: 3 })
})

describe('a holder whose process is not seen', () => {
  const [here, there] = ['host pid:[1]', 'host pid:[2]']
  const unseen = (id: string, place?: string) => ({ ...job(id), place, isAlive: () => false })

  test.each([
    ['in another container on the same volume', there],
    ['on another host', 'other pid:[1]'],
    ['of a job that knows no places', undefined],
  ])('keeps its lease to its end, %s', async (_, place) => {
    const store = await storeOfThisTest(await storeFile())
    const lease = await takeLease(store, unseen('a', here), 0)
    expect(await takeLease(store, unseen('b', place), leaseMs - 1)).toBeUndefined()
    if (!lease) throw new Error('it was free')
    expect(await renew(store, lease, leaseMs - 1)).toBe(true)
    expect(await takeLease(store, unseen('b', place), 2 * leaseMs - 1)).toMatchObject({ fence: 2 })
    expect(await renew(store, lease, 2 * leaseMs)).toBe(false)
  })

  test.each([
    ['in the same place', here],
    ['where an earlier release of this program has taken it', undefined],
  ])('has lost it at once, %s', async (_, place) => {
    const store = await storeOfThisTest(await storeFile())
    await takeLease(store, unseen('a', place), 0)
    expect(await takeLease(store, unseen('b', here), 1)).toMatchObject({ fence: 2 })
  })

  test('gives back what it holds', async () => {
    const store = await storeOfThisTest(await storeFile())
    const lease = await takeLease(store, unseen('a', here), 0)
    if (lease) await releaseLease(store, lease)
    expect(await takeLease(store, unseen('b', there), 1)).toMatchObject({ fence: 2 })
  })
})

test('renewing moves its end, for its holder only', async () => {
  const store = await storeOfThisTest(await storeFile())
  const lease = await takeLease(store, job('a'), 0)
  if (!lease) throw new Error('it was free')
  expect(await renew(store, lease, 10_000)).toBe(true)
  expect(await held(store)).toEqual({ holder: 'a', fence: 1, until: 10_000 + leaseMs })
  expect(await renew(store, { ...lease, holder: 'b' }, 20_000)).toBe(false)
  expect(await renew(store, { ...lease, fence: 2 }, 20_000)).toBe(false)
  expect(await takeLease(store, job('b'), 10_000 + leaseMs - 1)).toBeUndefined()
})

test('a stale fence renews nothing and gives nothing back', async () => {
  const store = await storeOfThisTest(await storeFile())
  const stale = await takeLease(store, { ...job('a'), pid: 1 }, 0)
  const current = await takeLease(store, { ...job('a'), pid: 2 }, leaseMs)
  if (!stale || !current) throw new Error('it was free')
  expect(await renew(store, stale, leaseMs + 1)).toBe(false)
  await releaseLease(store, stale)
  expect(await held(store)).toEqual({ holder: 'a', fence: 2, until: 2 * leaseMs })
  expect(await renew(store, current, leaseMs + 1)).toBe(true)
})

const rounds = 64
const takersEach = 16
/** Of a process that has died, as the takers see it. */
const deadPid = 0
/** Every taker is a process of its own. */
let lastPid = deadPid
const leases = z.array(z.object({ holder: z.string(), fence: z.int() }))

test('of 64 takers in four processes exactly one wins, round after round', async () => {
  const file = await storeFile()
  const store = await storeOfThisTest(file)
  const processes = await storeProcesses(4)
  await Promise.all(processes.map(({ tell }) => tell({ do: 'keep open', file })))

  let [now, fence] = [0, 0]
  const winners = new Set<string>()
  for (let round = 1; round <= rounds; round += 1) {
    // Each is the first to be told in its turn.
    const order = [...processes.slice(round % 4), ...processes.slice(0, round % 4)]
    const won = await takeAll(order, now)
    fence += 1
    expect(won.map((one) => one.fence)).toEqual([fence])
    const [winner] = won
    if (!winner) throw new Error('nobody won')
    winners.add(winner.holder)
    expect(await takeAll(processes, now)).toEqual([])
    // Three ways to end: it runs out, it is given back, or the process that took it is gone.
    if (round % 3 === 1) now += leaseMs
    else await releaseLease(store, winner)
    if (round % 3 === 0 && (await takeLease(store, { ...job('gone'), pid: deadPid }, now)))
      fence += 1
  }
  const processesThatWon = new Set([...winners].map((holder) => holder.split(' ')[0]))
  expect(processesThatWon.size).toBeGreaterThan(1)
})

async function takeAll(
  processes: readonly StoreProcess[],
  now: number,
): Promise<z.infer<typeof leases>> {
  const won = await Promise.all(
    processes.map(({ tell }) => {
      const pids = Array.from({ length: takersEach }, () => (lastPid += 1))
      return tell({ do: 'take leases', pids, now, deadPid })
    }),
  )
  return won.flatMap((some) => leases.parse(some))
}
