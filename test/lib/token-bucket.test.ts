import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { shareToken, takeToken, type TokenBucket } from '../../src/lib/token-bucket.ts'

/** The answers to requests at these milliseconds: `+` allowed, or how long to wait. */
function timeline(
  perSecond: number,
  instants: readonly number[],
  take = takeToken,
): readonly (number | '+')[] {
  let bucket: TokenBucket | undefined
  return instants.map((nowMs) => {
    const answer = take(bucket, perSecond, nowMs)
    ;({ bucket } = answer)
    return answer.verdict === 'allow' ? '+' : answer.retryAfterMs
  })
}

test.each([
  ['a second’s worth at once, then no more', 3, [0, 0, 0, 0], ['+', '+', '+', 667]],
  [
    'one token for each third of a second',
    3,
    [0, 0, 0, 334, 668, 1_002],
    ['+', '+', '+', '+', '+', '+'],
  ],
  ['too early, and the wait grows', 2, [0, 0, 100, 200], ['+', '+', 900, 1_300]],
  [
    'after an hour it is full, not fuller',
    2,
    [0, 3_600_000, 3_600_000, 3_600_000],
    ['+', '+', '+', 1_000],
  ],
  ['slower than one a second: one at least', 0.1, [0, 9_999, 10_000], ['+', 10_001, 20_000]],
  ['slower than one a second, in time', 0.1, [0, 10_000, 20_000], ['+', '+', '+']],
  ['a clock that stands still', 1, [5, 5, 5], ['+', 2_000, 2_000]],
  ['a clock that steps back gives nothing', 1, [5_000, 0], ['+', 2_000]],
] as const)('%s', (_, perSecond, instants, answers) => {
  expect(timeline(perSecond, instants)).toEqual(answers)
})

test('hammering does not pay: refused requests count, down to a debt of one bucket', () => {
  const hammered = [...Array.from({ length: 1_000 }, () => 0), 1_000, 2_000, 2_000]
  expect(timeline(2, hammered).slice(-3)).toEqual([1_000, '+', 1_000])
})

test('what many share is not spent on refusals: as many tokens come as the rate has', () => {
  const crowd = Array.from({ length: 10_000 }, (_, i) => i) // 1,000 a second for 10 s
  const allowed = (take: typeof takeToken) =>
    timeline(100, crowd, take).filter((answer) => answer === '+').length
  expect(allowed(shareToken)).toBe(100 + 999)
  expect(allowed(takeToken)).toBeLessThan(200) // as a caller's own limit, it would starve everybody
})

const perSecond = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constantFrom(0.1, 0.5, 1 / 60, 2.5))
const gapsMs = fc.array(fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 30_000 })), {
  minLength: 1,
  maxLength: 200,
})

describe.each([takeToken, shareToken])('%o', (take) => {
  test('no stretch of time lets more through than one bucket and its rate', () => {
    const property = fc.property(perSecond, gapsMs, (rate, gaps) => {
      let nowMs = 0
      const instants = gaps.map((gap) => (nowMs += gap))
      const answers = timeline(rate, instants, take)
      const allowed = instants.filter((_, i) => answers[i] === '+')
      for (const [i, from] of allowed.entries()) {
        for (const [more, to] of allowed.slice(i).entries()) {
          const most = Math.max(1, rate) + ((to - from) * rate) / 1_000
          expect(more + 1).toBeLessThanOrEqual(most + 1e-6)
        }
      }
    })
    fc.assert(property, { numRuns: 200 })
  })

  test('whoever waits as long as told is let through, and a millisecond less is too early', () => {
    const property = fc.property(perSecond, gapsMs, (rate, gaps) => {
      let bucket: TokenBucket | undefined
      let nowMs = 0
      for (const gap of gaps) {
        nowMs += gap
        const answer = take(bucket, rate, nowMs)
        ;({ bucket } = answer)
        if (answer.verdict === 'allow') continue
        const { retryAfterMs } = answer
        expect(take(bucket, rate, nowMs + retryAfterMs).verdict).toBe('allow')
        expect(take(bucket, rate, nowMs + retryAfterMs - 1).verdict).toBe('refuse')
      }
    })
    fc.assert(property, { numRuns: 500 })
  })
})
