import { describe, expect, test } from 'vitest'
import { Limits } from '../../src/service/limits.ts'
import { grantOn, keyOf } from '../support/grant.ts'
import { manualClock } from '../support/manual-clock.ts'

const key = keyOf('documents')
const limited = (limitPerSecond: number | undefined, name = 'grants[0]') =>
  grantOn(key, { name, limitPerSecond })

describe('a limit', () => {
  test('lets one second’s worth through at once, and then says when to come again', () => {
    const limits = new Limits(manualClock())
    for (let i = 0; i < 20; i += 1) limits.take(limited(20))
    expect(limits.take(limited(20))).toMatchObject({
      code: 'rate_limited',
      details: { retryAfterMs: 100 },
    })
  })

  test('less than one a second still lets one through', () => {
    const clock = manualClock()
    const limits = new Limits(clock)
    limits.take(limited(0.1))
    expect(limits.take(limited(0.1))).toMatchObject({ code: 'rate_limited' })
  })

  test('whoever waits as told is let through, though refused requests count', () => {
    const clock = manualClock()
    const limits = new Limits(clock)
    limits.take(limited(1))
    expect(limits.take(limited(1))).toMatchObject({ details: { retryAfterMs: 2_000 } })
    clock.advance(1_999)
    expect(limits.take(limited(1))).toMatchObject({ code: 'rate_limited' })
    clock.advance(2_000)
    expect(limits.take(limited(1))).toBeUndefined()
  })

  test('is that of one grant: another is not touched by it', () => {
    const limits = new Limits(manualClock())
    limits.take(limited(1, 'grants[0]'))
    expect(limits.take(limited(1, 'grants[1]'))).toBeUndefined()
    expect(limits.take(limited(1, 'grants[0]'))).toMatchObject({ code: 'rate_limited' })
  })

  test('that is not there refuses nothing', () => {
    const limits = new Limits(manualClock())
    const answers = Array.from({ length: 1_000 }, () => limits.take(limited(undefined)))
    expect(answers.filter((answer) => answer !== undefined)).toEqual([])
  })
})
