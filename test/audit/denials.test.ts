import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DenialCounter } from '../../src/audit/denials.ts'
import type { Denial } from '../../src/audit/records.ts'
import { denial } from '../support/audit-records.ts'

/** What is written of these denials, and of what is held back at the end. */
function counted(denials: readonly Denial[], releaseAt = Infinity) {
  const written: Denial[] = []
  const counter = new DenialCounter((one) => written.push(one))
  for (const one of denials) counter.count(one)
  const before = written.length
  counter.release(releaseAt)
  return { before: written.slice(0, before), after: written.slice(before) }
}

const times = (count: number, part?: Partial<Denial>): readonly Denial[] =>
  Array.from({ length: count }, (_, i) => denial(`${i}`, part))

test('ten in a second are recorded one by one, at once', () => {
  const ten = times(10)
  expect(counted(ten)).toEqual({ before: ten, after: [] })
})

test('what comes above ten in a second is one record with a count, of the last one', () => {
  const many = times(25)
  expect(counted(many)).toEqual({
    before: many.slice(0, 10),
    after: [denial('24', { count: 15 })],
  })
})

test('the count is written with the first denial after its second', () => {
  const written: Denial[] = []
  const counter = new DenialCounter((one) => written.push(one))
  for (const one of times(12)) counter.count(one)
  counter.count(denial('13', { at: 999 }))
  expect(written.length).toBe(10)
  counter.count(denial('14', { at: 1_000, caller: 'billing' }))
  expect(written.slice(10)).toEqual([
    denial('13', { at: 999, count: 3 }),
    denial('14', { at: 1_000, caller: 'billing' }),
  ])
})

test('a new second begins with ten again', () => {
  const next = times(10, { at: 1_000 })
  expect(counted([...times(10), ...next]).before.slice(10)).toEqual(next)
})

test('a window that is not over keeps its count', () => {
  expect(counted(times(12), 999).after).toEqual([])
  expect(counted(times(12), 1_000).after).toEqual([denial('11', { count: 2 })])
})

describe('each of these has a rate of its own', () => {
  test.each([
    ['callers', { caller: 'billing' }],
    ['keys', { key: 'reports' }],
    ['codes', { code: 'operation_not_granted' }],
  ] as const)('%s', (_, part) => {
    const { before, after } = counted([...times(10), ...times(10, part)])
    expect([before.length, after.length]).toEqual([20, 0])
  })
})

describe('a caller cannot buy more records', () => {
  test('by making up claim names, which stand in the rule', () => {
    const { before, after } = counted(
      times(1_000).map((one, i) => ({ ...one, rule: `claim${i}.unlisted` })),
    )
    expect([before.length, after.map(({ count }) => count)]).toEqual([10, [990]])
  })

  test('by making up key names that do not exist', () => {
    const code = 'key_not_found'
    const { before, after } = counted(
      times(1_000, { code }).map((one, i) => ({ ...one, key: `key-${i}` })),
    )
    expect([before.length, after.map(({ count }) => count)]).toEqual([10, [990]])
  })

  test('by changing the operation', () => {
    const operations = ['sign-claims', 'sign-input', 'read-fingerprint']
    const { before } = counted(
      times(300).map((one, i) => ({ ...one, operation: operations[i % 3] ?? '' })),
    )
    expect(before.length).toBe(10)
  })
})

test('no denial is lost or counted twice, whatever comes when', () => {
  const one = fc.record({
    gapMs: fc.oneof(fc.constant(0), fc.nat({ max: 1_500 })),
    caller: fc.constantFrom('web', 'billing'),
    code: fc.constantFrom('claims_refused', 'key_not_found', 'suspended'),
  })
  const property = fc.property(fc.array(one, { maxLength: 300 }), (all) => {
    let now = 0
    const denials = all.map(({ gapMs, caller, code }) => {
      now += gapMs
      return denial('', { at: now, caller, code })
    })
    const { before, after } = counted(denials)
    const sum = [...before, ...after].reduce((total, { count }) => total + count, 0)
    expect(sum).toBe(denials.length)
  })
  fc.assert(property, { numRuns: 500 })
})
