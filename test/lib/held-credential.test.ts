import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  courseOf,
  fetchMsMax,
  HeldCredential,
  type Holding,
} from '../../src/lib/held-credential.ts'
import { fakeTime } from '../support/fake-time.ts'
import { settle } from '../support/pending.ts'

const minuteMs = 60_000

/** Seeded: with `wait` in place of `use-and-fetch` the first of these fails, and those below that hang. */
describe('what to do about a credential', () => {
  const instant = fc.integer({ min: 0, max: 200_000 })
  const holding: fc.Arbitrary<Holding> = fc.record({
    held: fc.option(fc.record({ expiresAt: instant, refreshAt: instant }), { nil: undefined }),
    isFetching: fc.boolean(),
    failures: fc.nat(20),
    lastFetchEndedMs: fc.oneof(fc.constant(-Infinity), instant),
  })

  test('nobody waits, and nobody is told of a failure, while what is held is valid', () => {
    const property = fc.property(holding, instant, instant, (known, now, nowMs) => {
      fc.pre(known.held !== undefined && now < known.held.expiresAt)
      expect(courseOf(known, now, nowMs)).toMatch(/^use/)
    })
    fc.assert(property, { numRuns: 2_000 })
  })

  test('no fetch begins while another is under way, or within a second of the last one’s end', () => {
    const property = fc.property(holding, instant, instant, (known, now, nowMs) => {
      const isEarly = nowMs < known.lastFetchEndedMs + 1_000
      fc.pre(known.isFetching || isEarly)
      const begins = known.isFetching ? ['use-and-fetch'] : ['use-and-fetch', 'wait']
      expect(begins).not.toContain(courseOf(known, now, nowMs))
    })
    fc.assert(property, { numRuns: 2_000 })
  })

  test.each([
    ['valid and young', 50_000, 60_000, 0, 'use'],
    ['due', 60_000, 60_000, 0, 'use-and-fetch'],
    ['due, the source failed once a second ago', 60_000, 60_000, 1, 'use-and-fetch'],
    ['due, the source failed twice', 60_000, 60_000, 2, 'use'],
    ['ended', 100_000, 60_000, 0, 'wait'],
    ['ended, the source failed three times', 100_000, 60_000, 3, 'fail'],
  ])('%s', (_, now, refreshAt, failures, course) => {
    const held = { expiresAt: 100_000, refreshAt }
    const known = { held, isFetching: false, failures, lastFetchEndedMs: 0 }
    expect(courseOf(known, now, 1_000)).toBe(course)
  })

  test.each([
    [1, 1_000, 1_000],
    [2, 2_000, 2_000],
    [3, 4_000, 4_000],
    [7, 60_000, 5_000],
    [50, 60_000, 5_000],
  ])('after %i failures: not for %i ms with, %i ms without one', (failures, withMs, withoutMs) => {
    const known = { isFetching: false, failures, lastFetchEndedMs: 0 }
    const held = { expiresAt: Infinity, refreshAt: 0 }
    expect(courseOf({ ...known, held }, 1, withMs - 1)).toBe('use')
    expect(courseOf({ ...known, held }, 1, withMs)).toBe('use-and-fetch')
    expect(courseOf({ ...known, held: undefined }, 1, withoutMs - 1)).toBe('fail')
    expect(courseOf({ ...known, held: undefined }, 1, withoutMs)).toBe('wait')
  })
})

/** A source that hangs, fails, or gives what lives for a minute. */
function source() {
  const time = fakeTime()
  const state = { fetched: 0, does: 'answers', given: [] as AbortSignal[] }
  const held = new HeldCredential(async (signal) => {
    state.fetched += 1
    state.given.push(signal)
    if (state.does === 'hangs') return new Promise<never>(() => {})
    if (state.does === 'fails') throw new Error('the source is down')
    return { credential: `c${state.fetched}`, expiresAt: time.now() + minuteMs }
  }, time)
  return { time, state, held }
}

describe('a source that hangs', () => {
  test('keeps nobody waiting before the end of what is held', async () => {
    const { time, state, held } = source()
    await held.get()
    state.does = 'hangs'
    time.advance(minuteMs / 2)
    for (let at = 0; at < 50; at += 1) expect(await held.get()).toBe('c1')
    expect(state.fetched).toBe(2)
    time.advance(minuteMs / 2 - 1)
    expect(await held.get()).toBe('c1')
  })

  test('is given up after its time, and asked afresh: one fetch that hung holds up no other', async () => {
    const { time, state, held } = source()
    await held.get()
    state.does = 'hangs'
    time.advance(minuteMs / 2)
    await held.get()
    await time.pass(fetchMsMax)
    expect(state.given[1]?.aborted).toBe(true)
    state.does = 'answers'
    expect(await held.get()).toBe('c1') // the floor between two fetches
    await time.pass(1_000)
    expect(await held.get()).toBe('c1')
    await settle()
    expect([await held.get(), state.fetched]).toEqual(['c3', 3])
  })

  test('with nothing valid held: vault_unavailable after its time, and at once for a second', async () => {
    const { time, state, held } = source()
    state.does = 'hangs'
    const asked = [held.get(), held.get()].map((one) => one.catch((error: unknown) => error))
    await time.pass(fetchMsMax)
    const unavailable = expect.objectContaining({ code: 'vault_unavailable' })
    expect(await Promise.all(asked)).toEqual([unavailable, unavailable])
    await expect(held.get()).rejects.toMatchObject({ code: 'vault_unavailable' })
    expect(state.fetched).toBe(1)
    state.does = 'answers'
    await time.pass(1_000)
    expect(await held.get()).toBe('c2')
  })
})

test('a source that fails is asked less and less often, and nobody notices before the end', async () => {
  const { time, state, held } = source()
  await held.get()
  state.does = 'fails'
  await time.pass(minuteMs / 2)
  for (let ms = 0; ms < minuteMs / 2; ms += 100) {
    expect(await held.get()).toBe('c1')
    await time.pass(100)
  }
  expect(state.fetched).toBe(6) // at 30, 31, 33, 37 and 45 s
  await expect(held.get()).rejects.toThrow('the source is down')
})

test('what is given up is replaced at once, and another not for ten seconds', async () => {
  const { time, held } = source()
  expect(await held.get()).toBe('c1')
  expect([held.giveUp(), await held.get()]).toEqual([true, 'c2'])
  await time.pass(9_999)
  expect([held.giveUp(), held.held]).toEqual([false, 'c2'])
  await time.pass(1)
  expect([held.giveUp(), held.held]).toEqual([true, undefined])
  await held.get()
  held.accept()
  expect([held.giveUp(), held.held]).toEqual([true, undefined]) // it was good until now
})

test('a fetch that began before something was given up does not bring it back', async () => {
  const time = fakeTime()
  const answers: ((credential: string) => void)[] = []
  const held = new HeldCredential<string>(async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    answers.push(resolve)
    return { credential: await promise, expiresAt: time.now() + minuteMs }
  }, time)
  const before = held.get()
  held.giveUp()
  const after = held.get()
  answers[0]?.('refused')
  expect([await before, held.held]).toEqual(['refused', undefined])
  answers[1]?.('good')
  expect([await after, await held.get()]).toEqual(['good', 'good'])
})
