import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hasEnded, versionStates } from '../../src/keys/lifecycle.ts'
import { nextStep, signing } from '../../src/rotation/next-step.ts'
import { now, ours, policy, versionsIn } from '../support/registered-key.ts'
import { keyFacts, seen, unknown } from '../support/rotation-facts.ts'

/** What holds of the next thing to do, whatever a key and its registry are. */

/** Some of a key's versions, others' keys and unknown ones, as a registry may have them. */
const situation = fc
  .record({
    states: fc.array(fc.constantFrom(...versionStates), { maxLength: 6 }),
    known: fc.option(fc.subarray([1, 2, 3, 4, 5, 6]), { nil: undefined }),
    others: fc.integer({ min: 0, max: 4 }),
    slots: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    source: fc.constantFrom('generated', 'imported', 'provisioned'),
    standby: fc.constantFrom(0, 1),
    asked: fc.option(
      fc.record({ replaces: fc.integer({ min: 1, max: 6 }), isEmergency: fc.boolean() }),
      { nil: undefined },
    ),
    openIntent: fc.option(fc.constant({ id: 'an-id', n: 9 }), { nil: undefined }),
    publishing: fc.subarray([1, 2, 3, 4, 5, 6]).map((numbers) => new Set(numbers)),
    enabled: fc.subarray([1, 2, 3, 4, 5, 6]).map((numbers) => new Set(numbers)),
  })
  .map(({ states, known, others, slots: bound, standby, enabled, ...kept }) => {
    const provisioned = kept.source === 'provisioned' ? { enabled, initial: undefined } : undefined
    const part = { ...kept, provisioned }
    const mine = ours(...(known?.filter((n) => n <= states.length) ?? []))
    const theirs = unknown(...Array.from({ length: others }, (_, i) => `other-${i}`))
    const registered = known && [...mine, ...theirs]
    const registry = { kind: 'app', slots: bound, seen: registered && seen(registered) } as const
    const facts = keyFacts({ versions: versionsIn(...states), registry, ...part })
    return { facts: { ...facts, policy: { ...policy, standby } }, registered, bound }
  })

describe('of anything that a key and its registry may be', () => {
  type Situation = typeof situation extends fc.Arbitrary<infer S> ? S : never
  /** The smallest situation of 5,000 that a rule does not hold for; null when it holds. */
  const against = (rule: (one: Situation) => boolean) =>
    fc.check(fc.property(situation, rule), { numRuns: 5_000 }).counterexample

  test('no unpublished version is ever activated, and none that its registry has lost beside one that signs', () => {
    const broken = against(({ facts, registered }) => {
      const next = nextStep(facts, now)
      if (next.kind !== 'activate') return true
      const isThere = registered?.some(({ kid }) => kid === next.version.kid) === true
      return next.version.state === 'published' && (next.retires === undefined || isThere)
    })
    expect(broken).toBeNull()
  })

  test('no version comes to sign that its catalogue does not let, and none that it cuts off is left to sign', () => {
    const broken = against(({ facts }) => {
      const next = nextStep(facts, now)
      const lets = facts.provisioned?.enabled
      if (next.kind === 'activate') return lets?.has(next.version.n) !== false
      const active = signing(facts.versions)
      return lets === undefined || !active || lets.has(active.n) || next.kind !== 'done'
    })
    expect(broken).toBeNull()
  })

  test('no key is made unless somebody has looked, and there is room', () => {
    const broken = against(({ facts, registered, bound }) => {
      if (nextStep(facts, now).kind !== 'generate') return true
      return registered !== undefined && (bound === undefined || registered.length < bound)
    })
    expect(broken).toBeNull()
  })

  test('nothing is published that would not fit', () => {
    const broken = against(({ facts, registered, bound }) => {
      const next = nextStep(facts, now)
      if (next.kind !== 'publish') return true
      const isThere = registered?.some(({ kid }) => kid === next.version.kid) ?? false
      const fits = bound === undefined || (registered?.length ?? Infinity) < bound
      return registered !== undefined && (isThere || fits)
    })
    expect(broken).toBeNull()
  })

  test('nobody is told of a version that has ended', () => {
    const broken = against(({ facts }) => {
      const next = nextStep(facts, now)
      return next.kind !== 'publish' || !hasEnded(next.version.state)
    })
    expect(broken).toBeNull()
  })

  test('who has looked is not asked to look again', () => {
    const broken = against(
      ({ facts, registered }) => registered === undefined || nextStep(facts, now).kind !== 'look',
    )
    expect(broken).toBeNull()
  })

  test('a wait for slots names everybody who takes one', () => {
    const broken = against(({ facts, registered }) => {
      const next = nextStep(facts, now)
      if (next.kind !== 'wait' || next.wait.kind !== 'slots') return true
      return next.wait.unknownKids.length + next.wait.versions.length === registered?.length
    })
    expect(broken).toBeNull()
  })
})
