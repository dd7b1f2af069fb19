import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ClockVerdict, type Exchange, skewOf, verdictAfter } from '../../src/lib/skew.ts'
import { httpDate } from '../support/shown-date.ts'

const at = 1_800_000_000_000

/** An answer of 100 ms, by a clock from which ours is so far away. */
function exchange(aheadMs: number, part: Partial<Exchange> = {}): Exchange {
  const date = httpDate(at + 50 - aheadMs)
  return { sentAt: at, answeredAt: at + 100, tookMs: 100, date, age: undefined, ...part }
}

function first(aheadMs: number): ClockVerdict | undefined {
  const skew = skewOf(exchange(aheadMs))
  return skew && verdictAfter('fine', skew)
}

test.each([
  [0, 'fine'],
  [20_000, 'fine'],
  [45_000, 'warn'],
  [115_000, 'warn'],
  [125_000, 'refuse'],
  [3_600_000, 'refuse'],
] as const)('a clock that is %i ms away, ahead or behind, is found to be: %s', (ms, verdict) => {
  expect([first(ms), first(-ms)]).toEqual([verdict, verdict])
})

test.each([
  ['none', undefined],
  ['an empty one', ''],
  ['text', 'yesterday'],
  ['a number', '1800000000'],
  ['another form', '2027-01-15T08:00:00Z'],
  ['an offset', 'Fri, 15 Jan 2027 09:00:00 +0100'],
  ['the wrong weekday', 'Mon, 15 Jan 2027 08:00:00 GMT'],
  ['a day that there is not', 'Tue, 30 Feb 2027 08:00:00 GMT'],
  ['what JavaScript writes for no date', 'Invalid Date'],
  ['two of them', 'Fri, 15 Jan 2027 08:00:00 GMT, Fri, 15 Jan 2027 08:00:00 GMT'],
])('a Date that is none says nothing: %s', (_what, date) => {
  expect(skewOf(exchange(0, { date }))).toBeUndefined()
})

test('a Date that a cache kept says nothing; one that it has just got does', () => {
  const old = exchange(300_000)
  expect(skewOf({ ...old, age: '300' })).toBeUndefined()
  expect(skewOf({ ...old, age: 'rubbish' })).toBeUndefined()
  expect(skewOf({ ...old, age: '0' })).toMatchObject({ uncertaintyMs: 550 })
})

describe('while an answer was waited for', () => {
  test('a clock that was set says nothing about itself', () => {
    expect(skewOf(exchange(0, { answeredAt: at - 3_600_000 }))).toBeUndefined()
    expect(skewOf(exchange(0, { answeredAt: at + 3_600_000 }))).toBeUndefined()
  })

  test('a process that was stopped, or a machine that slept, does not either', () => {
    const hourMs = 3_600_000
    expect(skewOf(exchange(0, { answeredAt: at + hourMs, tookMs: hourMs }))).toBeUndefined()
    expect(skewOf(exchange(0, { tookMs: hourMs }))).toBeUndefined() // its clock was frozen besides
  })
})

/** True skew, and the two ways of one exchange, in milliseconds. */
const ways = fc.record({
  aheadMs: fc.integer({ min: -4_000_000, max: 4_000_000 }),
  thereMs: fc.integer({ min: 0, max: 20_000 }),
  backMs: fc.integer({ min: 0, max: 20_000 }),
  phaseMs: fc.integer({ min: 0, max: 999 }),
})
type Ways = typeof ways extends fc.Arbitrary<infer T> ? T : never

function asSeen({ aheadMs, thereMs, backMs, phaseMs }: Ways): Exchange {
  const sentAt = at + phaseMs
  const tookMs = thereMs + backMs
  const date = httpDate(sentAt + thereMs - aheadMs)
  return { sentAt, answeredAt: sentAt + tookMs, tookMs, date, age: undefined }
}

const held = { failed: false, counterexample: null }

describe('whatever way an answer takes', () => {
  test('the true skew is within the uncertainty', () => {
    const isWithin = (way: Ways) => {
      const skew = skewOf(asSeen(way))
      return !skew || Math.abs(skew.aheadMs - way.aheadMs) <= skew.uncertaintyMs
    }
    expect(fc.check(fc.property(ways, isWithin), { numRuns: 2_000 })).toMatchObject(held)
  })

  test('a clock within a limit is never found beyond it', () => {
    const isFair = (way: Ways) => {
      const skew = skewOf(asSeen(way))
      const verdict = skew ? verdictAfter('fine', skew) : 'fine'
      const awayMs = Math.abs(way.aheadMs)
      return (verdict === 'fine' || awayMs >= 30_000) && (verdict !== 'refuse' || awayMs >= 120_000)
    }
    expect(fc.check(fc.property(ways, isFair), { numRuns: 2_000 })).toMatchObject(held)
  })

  test('near a limit the verdict changes once, and not back', () => {
    const near = fc.integer({ min: -2_000, max: 2_000 })
    const limit = fc.constantFrom(30_000, 120_000)
    const isSteady = (limitMs: number, besideMs: number, seen: readonly Ways[]) => {
      const found = seen.reduce<readonly ClockVerdict[]>((before, way) => {
        const skew = skewOf(asSeen({ ...way, aheadMs: limitMs + besideMs }))
        const last = before.at(-1) ?? 'fine'
        return [...before, skew ? verdictAfter(last, skew) : last]
      }, [])
      return found.every((verdict, i) => i === 0 || rank(verdict) >= rank(found[i - 1] ?? 'fine'))
    }
    const steady = fc.property(limit, near, fc.array(ways), isSteady)
    expect(fc.check(steady, { numRuns: 500 })).toMatchObject(held)
  })

  test('one that was put right is found to be, by the first quick answer', () => {
    const skew = skewOf(exchange(0))
    expect(skew && verdictAfter('refuse', skew)).toBe('fine')
  })
})

function rank(verdict: ClockVerdict): number {
  return ['fine', 'warn', 'refuse'].indexOf(verdict)
}
