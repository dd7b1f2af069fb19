import { describe, expect, test } from 'vitest'
import type { Json } from '../../src/lib/json.ts'
import { type ClaimCheck, type ClaimRule, failedRule } from '../../src/policy/claim-rules.ts'

const caller = { name: 'billing', repository_id: '1234', empty: '' }

const kinds: readonly {
  readonly check: ClaimCheck
  readonly holds: readonly Json[]
  readonly fails: readonly Json[]
}[] = [
  {
    check: { kind: 'const', value: 'https://reports' },
    holds: ['https://reports'],
    fails: ['https://reports/', 'HTTPS://reports', 'https://report', '', ['https://reports'], null],
  },
  { check: { kind: 'const', value: 1 }, holds: [1], fails: ['1', true, 1.5, [1], null] },
  { check: { kind: 'const', value: true }, holds: [true], fails: ['true', 1, false, null] },
  { check: { kind: 'const', value: '' }, holds: [''], fails: [null, 0, false, []] },
  {
    check: { kind: 'oneOf', values: ['reader', 'writer', 3, false] },
    holds: ['reader', 'writer', 3, false],
    fails: ['admin', 'read', 'readers', '3', 0, '', null, ['reader'], { reader: 1 }],
  },
  { check: { kind: 'oneOf', values: [] }, holds: [], fails: ['', null, 'x'] },
  {
    check: { kind: 'prefix', prefix: 'tenant:1:' },
    holds: ['tenant:1:', 'tenant:1:42', 'tenant:1:../x'],
    fails: ['tenant:1', 'tenant:12:3', ' tenant:1:4', 'Tenant:1:4', '', 42, ['tenant:1:4'], null],
  },
  {
    check: { kind: 'text', charactersMax: 3 },
    holds: ['', 'abc', 'äöü', '𝄞a'],
    fails: ['abcd', '𝄞𝄞', 12, true, null, ['abc'], { length: 1 }],
  },
  {
    check: { kind: 'fromCaller', attribute: 'repository_id' },
    holds: ['1234'],
    fails: [1234, '12345', '', 'billing', null, ['1234']],
  },
  {
    check: { kind: 'fromCaller', attribute: 'absent' },
    holds: [],
    fails: ['', 'absent', 'undefined', null],
  },
  {
    check: { kind: 'fromCaller', attribute: 'constructor' },
    holds: [],
    fails: ['', 'function Object() { [native code] }', null],
  },
]

describe.each(kinds)('$check', ({ check, holds, fails }) => {
  const rules: readonly ClaimRule[] = [{ claim: 'c', optional: false, check }]
  const result = (value: Json) => failedRule(rules, { c: value }, caller)

  test('holds for exactly these', () => {
    expect(holds.map(result)).toEqual(holds.map(() => undefined))
  })

  test('fails for these, and says so by its kind', () => {
    expect(fails.map(result)).toEqual(fails.map(() => `c.${check.kind}`))
  })

  test('a claim that is not sent fails as required, unless it is optional', () => {
    expect(failedRule(rules, {}, caller)).toBe('c.required')
    const [rule] = rules
    expect(failedRule(rule ? [{ ...rule, optional: true }] : [], {}, caller)).toBeUndefined()
  })

  test('an optional claim that is sent must hold all the same', () => {
    const optional = rules.map((rule) => ({ ...rule, optional: true }))
    const [wrong = null] = fails
    expect(failedRule(optional, { c: wrong }, caller)).toBe(`c.${check.kind}`)
  })
})

test('no rules let nothing in', () => {
  expect(failedRule([], {}, caller)).toBeUndefined()
  expect(failedRule([], { sub: 'x' }, caller)).toBe('sub.unlisted')
})

test('a name of Object.prototype is a claim like any other', () => {
  const check: ClaimCheck = { kind: 'text', charactersMax: 9 }
  const rules = [{ claim: 'toString', optional: false, check }]
  expect(failedRule(rules, {}, caller)).toBe('toString.required')
  expect(failedRule([], { constructor: 'x' }, caller)).toBe('constructor.unlisted')
})

test('the first rule that fails, as declared, is named; then the first claim that no rule lists', () => {
  const rules: readonly ClaimRule[] = [
    { claim: 'z', optional: false, check: { kind: 'const', value: 1 } },
    { claim: 'a', optional: false, check: { kind: 'const', value: 1 } },
  ]
  expect(failedRule(rules, { a: 2, z: 2, x: 0 }, caller)).toBe('z.const')
  expect(failedRule(rules, { a: 2, z: 1, x: 0 }, caller)).toBe('a.const')
  expect(failedRule(rules, { a: 1, x: 0 }, caller)).toBe('z.required')
  expect(failedRule(rules, { a: 1, z: 1, y: 0, x: 0 }, caller)).toBe('y.unlisted')
  expect(failedRule(rules, { a: 1, z: 1 }, caller)).toBeUndefined()
})
