import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { versionStates, type VersionState } from '../../src/keys/lifecycle.ts'
import {
  type KeyFacts,
  nextStep,
  type RegistryState,
  type SeenKey,
} from '../../src/rotation/next-step.ts'
import { versionOf } from '../support/store-file.ts'

/** The one next thing to do for a key whose public half somebody else has to know first. */

const slots = 3
const app = (registered?: readonly SeenKey[]): RegistryState => ({ kind: 'app', slots, registered })
const unknown = (...kids: readonly string[]): readonly SeenKey[] =>
  kids.map((kid) => ({ kid, version: undefined }))

const versionsIn = (...states: readonly VersionState[]) =>
  states.map((state, i) => versionOf('blog', i + 1, { state, kid: `kid-${i + 1}` }))
const ours = (n: number): SeenKey => ({ kid: `kid-${n}`, version: `blog@${n}` })

function step(
  registry: RegistryState,
  states: readonly VersionState[],
  part: Partial<KeyFacts> = {},
) {
  const facts = { openIntent: undefined, source: 'generated', isNamed: true, ...part } as const
  const next = nextStep({ versions: versionsIn(...states), registry, ...facts })
  return 'version' in next ? `${next.kind} ${next.version.n}` : next.kind
}

describe('in an app of a registry, the first version', () => {
  test.each<[string, readonly VersionState[], readonly SeenKey[] | undefined, string]>([
    ['nobody has looked yet: look, before a key is made', [], undefined, 'look'],
    ['there is room: make one', [], [], 'generate'],
    ['there is room beside keys of others', [], unknown('a', 'b'), 'generate'],
    ['there is no room: wait, and make none', [], unknown('a', 'b', 'c'), 'wait'],
    ['made, and nobody has looked since', ['created'], undefined, 'look'],
    ['made, and there is room: publish it', ['created'], [], 'publish 1'],
    ['made, and the room is gone: wait', ['created'], unknown('a', 'b', 'c'), 'wait'],
    ['made, and there already: record that', ['created'], [ours(1)], 'publish 1'],
    [
      'there already takes no further slot',
      ['created'],
      [...unknown('a', 'b'), ours(1)],
      'publish 1',
    ],
    ['published: activate it, whatever the registry has', ['published'], undefined, 'activate 1'],
    ['active: nothing', ['active'], undefined, 'done'],
    ['revoked before it signed: look for room again', ['revoked'], undefined, 'look'],
    [
      'revoked ones take slots until they are withdrawn',
      ['revoked', 'revoked', 'revoked'],
      [ours(1), ours(2), ours(3)],
      'wait',
    ],
  ])('%s', (_, states, registered, expected) => {
    expect(step(app(registered), states)).toBe(expected)
  })

  test('whose slots are taken waits, and names who takes them', () => {
    const registry = app([...unknown('a', 'b'), { kid: 'c', version: 'shop@4' }])
    expect(
      nextStep({
        versions: [],
        openIntent: undefined,
        source: 'generated',
        isNamed: true,
        registry,
      }),
    ).toEqual({
      kind: 'wait',
      wait: { kind: 'slots', slots: 3, unknownKids: ['a', 'b'], versions: ['shop@4'] },
    })
  })

  test('has no bound where the registry has none', () => {
    const many = unknown('a', 'b', 'c', 'd')
    expect(step({ kind: 'app', slots: undefined, registered: many }, [])).toBe('generate')
    expect(step({ kind: 'app', slots: undefined, registered: many }, ['created'])).toBe('publish 1')
  })

  test('that a run was making is finished before anything is looked at', () => {
    expect(step(app(), [], { openIntent: { id: 'an-id', n: 1 } })).toBe('resume')
  })

  test('of an imported key is somebody else’s to make, and ours to publish', () => {
    expect(step(app(), [], { source: 'imported' })).toBe('done')
    expect(step(app([]), ['created'], { source: 'imported' })).toBe('publish 1')
  })

  test('that signed and was revoked is replaced when a human names the key, never by a timer', () => {
    const signed = [versionOf('blog', 1, { state: 'revoked', activatedAt: 1 })]
    const facts = { versions: signed, openIntent: undefined, source: 'generated' } as const
    expect(nextStep({ ...facts, registry: app(), isNamed: false })).toEqual({ kind: 'done' })
    expect(nextStep({ ...facts, registry: app(), isNamed: true })).toEqual({ kind: 'look' })
  })
})

describe('in a registry that a human looks after', () => {
  const manual = { kind: 'manual' } as const
  test.each<[string, readonly VersionState[], string]>([
    ['no version: it is imported', [], 'done'],
    ['created: its import was its publication', ['created'], 'activate 1'],
    ['published', ['published'], 'activate 1'],
    ['active', ['active'], 'done'],
    ['revoked', ['revoked'], 'done'],
  ])('%s', (_, states, expected) => {
    expect(step(manual, states, { source: 'imported' })).toBe(expected)
  })
})

/** Some of a key's versions, others' keys and unknown ones, as a registry may have them. */
const situation = fc
  .record({
    states: fc.array(fc.constantFrom(...versionStates), { maxLength: 6 }),
    seen: fc.option(fc.subarray([1, 2, 3, 4, 5, 6]), { nil: undefined }),
    others: fc.integer({ min: 0, max: 4 }),
    slots: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    source: fc.constantFrom('generated', 'imported'),
    isNamed: fc.boolean(),
    openIntent: fc.option(fc.constant({ id: 'an-id', n: 9 }), { nil: undefined }),
  })
  .map(({ states, seen, others, slots: bound, ...facts }) => {
    const mine = seen?.filter((n) => n <= states.length).map(ours)
    const theirs = Array.from({ length: others }, (_, i) => `other-${i}`)
    const registered = mine && [...mine, ...unknown(...theirs)]
    const registry: RegistryState = { kind: 'app', slots: bound, registered }
    return { versions: versionsIn(...states), registry, registered, bound, ...facts }
  })

describe('of anything that a key and its registry may be', () => {
  type Situation = typeof situation extends fc.Arbitrary<infer S> ? S : never
  /** The smallest situation of 5,000 that a rule does not hold for; null when it holds. */
  const against = (rule: (facts: Situation) => boolean) =>
    fc.check(fc.property(situation, rule), { numRuns: 5_000 }).counterexample

  test('no unpublished version is ever activated', () => {
    const broken = against((facts) => {
      const next = nextStep(facts)
      return next.kind !== 'activate' || next.version.state === 'published'
    })
    expect(broken).toBeNull()
  })

  test('no key is made unless somebody has looked, and there is room', () => {
    const broken = against((facts) => {
      const { registered, bound } = facts
      if (nextStep(facts).kind !== 'generate') return true
      return registered !== undefined && (bound === undefined || registered.length < bound)
    })
    expect(broken).toBeNull()
  })

  test('nothing is published that would not fit, nor twice where it is', () => {
    const broken = against((facts) => {
      const { registered, bound } = facts
      const next = nextStep(facts)
      if (next.kind !== 'publish') return true
      const isThere = registered?.some(({ kid }) => kid === next.version.kid) ?? false
      const fits = bound === undefined || (registered?.length ?? Infinity) < bound
      return registered !== undefined && next.version.state === 'created' && (isThere || fits)
    })
    expect(broken).toBeNull()
  })

  test('who has looked is not asked to look again', () => {
    const rule = (facts: Situation) =>
      facts.registered === undefined || nextStep(facts).kind !== 'look'
    expect(against(rule)).toBeNull()
  })

  test('a wait names everybody who takes a slot', () => {
    const broken = against((facts) => {
      const next = nextStep(facts)
      if (next.kind !== 'wait') return true
      const { unknownKids, versions } = next.wait
      return unknownKids.length + versions.length === facts.registered?.length
    })
    expect(broken).toBeNull()
  })

  test('nothing is done to a key that signs, but what a run had begun', () => {
    const broken = against((facts) => {
      const signs = facts.versions.some(({ state }) => state === 'active')
      return !signs || facts.openIntent !== undefined || nextStep(facts).kind === 'done'
    })
    expect(broken).toBeNull()
  })
})
