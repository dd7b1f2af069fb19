import { describe, expect, test } from 'vitest'
import { bulkhead } from '../../src/lib/bulkhead.ts'

const { signal } = new AbortController()

/** Work that ends when it is told to, and counts how much of it runs. */
function heldWork() {
  const started: PromiseWithResolvers<string>[] = []
  return {
    started,
    work: () => {
      const run = Promise.withResolvers<string>()
      started.push(run)
      return run.promise
    },
  }
}

async function settleMicrotasks(): Promise<void> {
  for (let i = 0; i < 50; i += 1) await Promise.resolve()
}

describe('a bulkhead of two with room for three to wait', () => {
  test('never runs more than two at once, and runs every one of five', async () => {
    const gate = bulkhead(2, 3)
    const { started, work } = heldWork()
    const all = Array.from({ length: 5 }, () => gate.run(work, signal))
    for (const ended of [0, 1, 2, 3, 4]) {
      await settleMicrotasks()
      expect(started.length).toBe(Math.min(ended + 2, 5))
      started[ended]?.resolve(`work ${ended}`)
    }
    await expect(Promise.all(all)).resolves.toHaveLength(5)
  })

  test('refuses the sixth at once as overloaded, and does none of its work', async () => {
    const gate = bulkhead(2, 3)
    const { started, work } = heldWork()
    const all = Array.from({ length: 5 }, () => gate.run(work, signal))
    await expect(gate.run(work, signal)).rejects.toMatchObject({
      code: 'overloaded',
      details: { retryAfterMs: 1_000 },
    })
    for (let i = 0; i < 5; i += 1) {
      await settleMicrotasks()
      started[i]?.resolve('done')
    }
    await Promise.all(all)
    expect(started.length).toBe(5)
  })

  test('tells how many wait', async () => {
    const gate = bulkhead(2, 3)
    const { started, work } = heldWork()
    const all = [1, 2, 3, 4].map(() => gate.run(work, signal))
    expect(gate.waiting).toBe(2)
    for (let i = 0; i < 4; i += 1) {
      await settleMicrotasks()
      started[i]?.resolve('done')
    }
    await Promise.all(all)
    expect(gate.waiting).toBe(0)
  })

  test('has room again after work that failed', async () => {
    const gate = bulkhead(1, 0)
    const error = new Error('the work failed')
    await expect(gate.run(() => Promise.reject(error), signal)).rejects.toBe(error)
    await expect(gate.run(() => Promise.resolve('next'), signal)).resolves.toBe('next')
  })
})

test('a waiter that has gone by its turn does no work, and the next one gets the turn', async () => {
  const gate = bulkhead(1, 2)
  const { started, work } = heldWork()
  const caller = new AbortController()
  const reason = new Error('the caller has gone')
  const first = gate.run(work, signal)
  const gone = gate.run(work, caller.signal)
  const next = gate.run(() => Promise.resolve('next'), signal)
  caller.abort(reason)
  started[0]?.resolve('first')
  await expect(gone).rejects.toBe(reason)
  await expect(first).resolves.toBe('first')
  await expect(next).resolves.toBe('next')
  expect(started.length).toBe(1)
})

test('a signal that has fired before does no work', async () => {
  const { started, work } = heldWork()
  const reason = new Error('the caller has gone')
  await expect(bulkhead(1, 0).run(work, AbortSignal.abort(reason))).rejects.toBe(reason)
  expect(started).toEqual([])
})
