import { describe, expect, test } from 'vitest'
import {
  isVisible,
  mayBecome,
  states,
  type VersionState,
  versionStates,
} from '../../src/keys/lifecycle.ts'

/** DESIGN §1, in the order of a life; whoever has no `x` may never go there. */
const order = [
  'created',
  'published',
  'active',
  'retiring',
  'retired',
  'destroyed',
  'revoked',
] as const
const table: Record<VersionState, string> = {
  created: '- x x - - - x',
  published: '- - x - x - x',
  active: '- - - x - - x',
  retiring: '- - - - x - x',
  retired: '- - - - - x x',
  destroyed: '- - - - - - x',
  revoked: '- - - - - - -',
}
const pairs = order.flatMap((from) =>
  order.map((to, i) => ({ from, to, allowed: table[from].split(' ')[i] === 'x' })),
)

test('there are seven states, and every one is in the table', () => {
  expect(versionStates).toEqual(order)
  expect(Object.keys(states)).toEqual(order)
  expect(pairs.length).toBe(49)
})

test.each(pairs)('$from may become $to: $allowed', ({ from, to, allowed }) => {
  expect(mayBecome(from, to)).toBe(allowed)
})

describe('whatever path a version takes', () => {
  test('it never comes back to a state it has left', () => {
    expect(order.filter((state) => reachable(state).has(state))).toEqual([])
  })

  test('it can be revoked from anywhere, and nothing follows that', () => {
    expect(order.filter((state) => !reachable(state).has('revoked'))).toEqual(['revoked'])
    expect([...reachable('revoked')]).toEqual([])
  })

  test('it never signs again once it is retiring, retired, destroyed or revoked', () => {
    const over = ['retiring', 'retired', 'destroyed', 'revoked'] as const
    expect(over.filter((state) => reachable(state).has('active'))).toEqual([])
  })

  test('it is never published again once it is retired', () => {
    expect([...reachable('retired')].filter(isVisible)).toEqual([])
  })
})

test('verifiers are told of published, active and retiring versions, and of no other', () => {
  expect(order.filter(isVisible)).toEqual(['published', 'active', 'retiring'])
})

test('each state has the name that NIST gives it', () => {
  expect(order.map((state) => states[state].nist)).toEqual([
    'pre-activation',
    'pre-activation',
    'active',
    'deactivated',
    'deactivated',
    'destroyed',
    'compromised',
  ])
})

/** Every state that some path leads to, in one step or more. */
function reachable(from: VersionState): ReadonlySet<VersionState> {
  const found = new Set<VersionState>()
  const line = [from]
  for (let at = line.pop(); at !== undefined; at = line.pop()) {
    for (const to of order) {
      if (found.has(to) || !mayBecome(at, to)) continue
      found.add(to)
      line.push(to)
    }
  }
  return found
}
