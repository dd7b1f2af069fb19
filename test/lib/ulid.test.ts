import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ulidSource } from '../../src/lib/ulid.ts'

const timeMax = 2 ** 48 - 1
const instant = fc.integer({ min: 0, max: timeMax })

test('an id is 26 characters of the alphabet without I, L, O and U', () => {
  const next = ulidSource()
  const property = fc.property(instant, (now) => {
    expect(next(now)).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/)
  })
  fc.assert(property, { numRuns: 2_000 })
})

test('an id of a later millisecond sorts behind every earlier one', () => {
  const next = ulidSource()
  const property = fc.property(instant, instant, (one, other) => {
    const [earlier, later] = [Math.min(one, other), Math.max(one, other)]
    expect(earlier === later || next(earlier) < next(later)).toBe(true)
  })
  fc.assert(property, { numRuns: 2_000 })
})

// The example of https://github.com/ulid/javascript
test.each([
  [1_469_918_176_385, '01ARYZ6S41'],
  [0, '0000000000'],
  [timeMax, '7ZZZZZZZZZ'],
])('the first ten characters tell the time: %i', (now, text) => {
  expect(ulidSource()(now).slice(0, 10)).toBe(text)
})

test('ids of one millisecond never meet, also across refills of the random pool', () => {
  const next = ulidSource()
  const ids = Array.from({ length: 5_000 }, () => next(0))
  expect(new Set(ids).size).toBe(5_000)
})

test('every character can stand at every random place', () => {
  const next = ulidSource()
  const ids = Array.from({ length: 5_000 }, () => next(0).slice(10))
  const seen = Array.from({ length: 16 }, (_, at) => new Set(ids.map((id) => id[at])).size)
  expect(seen).toEqual(Array.from({ length: 16 }, () => 32))
})
