import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { deadline, every, pause, within } from '../../src/lib/deadline.ts'

/** The timers of this file are turned by hand: nothing waits. */
beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const reason = new Error('the caller has gone')
const passed = expect.objectContaining({ code: 'deadline_exceeded' })

function fired(parentReason: Error): AbortSignal {
  return AbortSignal.abort(parentReason)
}

describe('deadline', () => {
  test('fires when its time has passed, and not before', () => {
    using limit = deadline(5_000)
    vi.advanceTimersByTime(4_999)
    expect(limit.signal.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect(limit.signal.reason).toEqual(passed)
  })

  test('fires at once with its parent, for its parent’s reason', () => {
    const parent = new AbortController()
    using limit = deadline(5_000, parent.signal)
    expect(limit.signal.aborted).toBe(false)
    parent.abort(reason)
    expect(limit.signal.reason).toBe(reason)
  })

  test('says why in its own words where it was given some', () => {
    const parent = new AbortController()
    const own = new Error('own words')
    using limit = deadline(5_000, parent.signal, () => own)
    using late = deadline(5_000, fired(reason), () => own)
    parent.abort(reason)
    expect([limit.signal.reason, late.signal.reason]).toEqual([own, own])
  })

  test('has fired from the start when its parent had', () => {
    using limit = deadline(5_000, fired(reason))
    expect(limit.signal.reason).toBe(reason)
  })

  test('can shorten its parent’s time but not lengthen it', () => {
    using outer = deadline(1_000)
    using longer = deadline(9_000, outer.signal)
    using shorter = deadline(500, outer.signal)
    vi.advanceTimersByTime(500)
    expect([shorter, longer].map(({ signal }) => signal.aborted)).toEqual([true, false])
    vi.advanceTimersByTime(500)
    expect(longer.signal.reason).toEqual(passed)
  })

  test('leaves no timer and no listener when it is disposed of', () => {
    const parent = new AbortController()
    const limit = deadline(5_000, parent.signal)
    limit[Symbol.dispose]()
    expect(vi.getTimerCount()).toBe(0)
    parent.abort(reason)
    vi.advanceTimersByTime(10_000)
    expect(limit.signal.aborted).toBe(false)
  })
})

describe('within', () => {
  const { signal } = new AbortController()
  const never = new Promise<never>(() => {})

  test('settles as the work does', async () => {
    const error = new Error('the work failed')
    await expect(within(Promise.resolve('done'), signal)).resolves.toBe('done')
    await expect(within(Promise.reject(error), signal)).rejects.toBe(error)
  })

  test('ends with the signal’s reason while the work goes on', async () => {
    const caller = new AbortController()
    const ended = within(never, caller.signal)
    caller.abort(reason)
    await expect(ended).rejects.toBe(reason)
  })

  test('does not wait at all under a signal that has fired', async () => {
    await expect(within(never, fired(reason))).rejects.toBe(reason)
  })

  test('work that fails after the end is nobody’s unhandled rejection', async () => {
    const work = Promise.withResolvers<never>()
    await expect(within(work.promise, fired(reason))).rejects.toBe(reason)
    const unhandled: unknown[] = []
    const note = (error: unknown) => unhandled.push(error)
    process.on('unhandledRejection', note)
    work.reject(new Error('too late'))
    await turn()
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
  })
})

describe('pause', () => {
  test.each([
    ['with a signal', new AbortController().signal],
    ['without one', undefined],
  ])('ends when its time has passed, and not before, %s', async (_, signal) => {
    let isOver = false
    const waiting = pause(5_000, signal).then(() => (isOver = true))
    await vi.advanceTimersByTimeAsync(4_999)
    expect(isOver).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await waiting
    expect(vi.getTimerCount()).toBe(0)
  })

  test('ends early with the signal’s reason', async () => {
    const caller = new AbortController()
    const waiting = pause(60_000, caller.signal)
    caller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await expect(pause(60_000, fired(reason))).rejects.toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('every', () => {
  test('calls again after each interval, until it is disposed of', async () => {
    let calls = 0
    const timer = every(1_000, async () => {
      calls += 1
    })
    expect(calls).toBe(0)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(calls).toBe(3)
    timer[Symbol.dispose]()
    await vi.advanceTimersByTimeAsync(3_000)
    expect(calls).toBe(3)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('never runs twice at once, and goes on when the slow work is done', async () => {
    const slow = Promise.withResolvers<void>()
    let calls = 0
    const timer = every(1_000, () => {
      calls += 1
      return slow.promise
    })
    await vi.advanceTimersByTimeAsync(5_000)
    expect(calls).toBe(1)
    slow.resolve()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(calls).toBe(2)
    timer[Symbol.dispose]()
  })
})
