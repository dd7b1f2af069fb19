import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { versionStates, type VersionState } from '../../src/keys/lifecycle.ts'
import { deedsApart } from '../../src/rotation/ending.ts'
import type { KeyFacts } from '../../src/rotation/facts.ts'
import { nextStep } from '../../src/rotation/next-step.ts'
import { dayMs, keyFacts, policyOf, shown } from '../support/rotation-facts.ts'
import { versionOf } from '../support/store-file.ts'

/** A key that nobody has to be told of: `[its versions, oldest first]`, and the one next thing to do. */

const now = 100 * dayMs

/** Each as if it had lived: what has ended once signed, and what signs began a day ago. */
const versions = (...states: readonly VersionState[]) =>
  states.map((state, i) => {
    const hasSigned = state !== 'created' && state !== 'published'
    const lived = hasSigned ? { activatedAt: 90 * dayMs + i } : {}
    const retired = state === 'retiring' ? { retiringAt: 95 * dayMs } : {}
    return versionOf('blog', i + 1, { state, ...lived, ...retired, disabledAt: now })
  })

const step = (states: readonly VersionState[], part: Partial<KeyFacts> = {}) =>
  shown(nextStep(keyFacts({ versions: versions(...states), ...part }), now))

const askedFor = (replaces: number) => ({ replaces, isEmergency: false })

describe('a key that begins', () => {
  test.each<[string, readonly VersionState[], string]>([
    ['has no version: one is made', [], 'generate'],
    ['has one: it signs', ['created'], 'activate 1'],
    ['has a published one: it signs', ['published'], 'activate 1'],
    ['has two: the older one signs first', ['created', 'created'], 'activate 1'],
    ['has a published one: that one goes before', ['created', 'published'], 'activate 2'],
  ])('%s', (_, states, expected) => {
    expect(step(states)).toBe(expected)
  })

  test('finishes first what a run had begun', () => {
    const openIntent = { id: '01JD0000000000000000000000', n: 7 }
    expect(nextStep(keyFacts({ openIntent }), now)).toEqual({ kind: 'resume', ...openIntent })
    expect(step(['active'], { openIntent })).toBe('resume')
    expect(step(['active', 'created'], { openIntent, asked: askedFor(1) })).toBe('resume')
  })

  test('finishes later what would keep a key from signing, or a version that has to go', () => {
    const openIntent = { id: '01JD0000000000000000000000', n: 7 }
    expect(step(['created'], { openIntent })).toBe('activate 1')
    const emergency = { replaces: 1, isEmergency: true }
    const facts = { openIntent, asked: emergency }
    expect(step(['active', 'created'], facts)).toBe('activate 2, retiring 1')
    expect(step(['active', 'created'], { ...facts, suspended: new Set([2]) })).toBe('resume')
    expect(step(['active'], facts)).toBe('resume')
  })

  test('of a suspended version waits for it', () => {
    expect(step(['created'], { suspended: new Set([1]) })).toBe('wait suspended')
  })

  test.each(['imported', 'provisioned'] as const)('and is %s needs somebody', (source) => {
    const task = source === 'imported' ? 'task import' : 'task provision'
    expect(step([], { source })).toBe(task)
  })
})

describe('a key whose version has ended without another', () => {
  test.each<[readonly VersionState[]]>([[['revoked']], [['retired']], [['revoked', 'created']]])(
    '%j: a job on a timer undoes no decision',
    (states) => {
      expect(step(states)).toBe('done')
    },
  )

  test('signs again when somebody asks for it, once', () => {
    expect(step(['revoked'], { asked: askedFor(1) })).toBe('generate')
    expect(step(['revoked', 'created'], { asked: askedFor(1) })).toBe('activate 2')
    expect(step(['revoked', 'revoked'], { asked: askedFor(1) })).toBe('done')
    expect(step(['revoked', 'revoked'], { asked: askedFor(2) })).toBe('generate')
  })
})

describe('with what is still to be put away set apart', () => {
  const old = versionOf('blog', 1, { state: 'revoked', activatedAt: 80 * dayMs })
  const plan = (part: Partial<KeyFacts>, ...rest: readonly VersionState[]) => {
    const all = [old, ...versions('active', ...rest).map((one) => ({ ...one, n: one.n + 1 }))]
    const facts = keyFacts({ source: 'imported', versions: all, ...part })
    const apart = { ...facts, failed: deedsApart(all) }
    return [shown(nextStep(facts, now)), shown(nextStep(apart, now))]
  }

  test('it is seen what the key would go on with', () => {
    const unproved = new Map([[3, ['a pid 7']]])
    expect(plan({ unproved }, 'published')).toEqual(['disable 1', 'wait proof'])
    const suspended = new Set([3])
    expect(plan({ suspended }, 'published')).toEqual(['disable 1', 'wait suspended'])
    const policy = policyOf({ everyMs: 1 })
    expect(plan({ policy })).toEqual(['disable 1', 'task import'])
    expect(plan({})).toEqual(['disable 1', 'done'])
  })

  test('so with a registry that does not forget it', () => {
    const registry = { kind: 'app', slots: undefined, seen: undefined } as const
    const all = [{ ...old, disabledAt: now }]
    const facts = keyFacts({ versions: all, registry })
    expect(shown(nextStep(facts, now))).toBe('withdraw 1')
    expect(shown(nextStep({ ...facts, failed: deedsApart(all) }, now))).toBe('done')
  })
})

describe('a key that signs', () => {
  const every10d = policyOf({ everyMs: 10 * dayMs })

  test.each<[string, readonly VersionState[], Partial<KeyFacts>, string]>([
    ['is left alone where nothing says how often', ['active'], {}, 'done'],
    [
      'is left alone before it is due',
      ['active'],
      { policy: policyOf({ everyMs: 11 * dayMs }) },
      'done',
    ],
    ['and is due gets its next version', ['active'], { policy: every10d }, 'generate'],
    [
      'and is due, with the next one made: it takes over',
      ['active', 'created'],
      { policy: every10d },
      'activate 2, retiring 1',
    ],
    ['is replaced when somebody asks for it', ['active'], { asked: askedFor(1) }, 'generate'],
    [
      'was replaced already: asked for once, done once',
      ['retired', 'active'],
      { asked: askedFor(1) },
      'done',
    ],
    [
      'waits for a suspended version',
      ['active', 'created'],
      { policy: every10d, suspended: new Set([2]) },
      'wait suspended',
    ],
    [
      'takes the next that is not suspended',
      ['active', 'created', 'created'],
      { policy: every10d, suspended: new Set([2]) },
      'activate 3, retiring 1',
    ],
    [
      'keeps a version ready where it is to stand by',
      ['active'],
      { policy: policyOf({ standby: 1 }) },
      'generate',
    ],
    ['has one that stands by', ['active', 'created'], { policy: policyOf({ standby: 1 }) }, 'done'],
    [
      'and is imported: the import of another is its wish',
      ['active', 'published'],
      { source: 'imported' },
      'activate 2, retiring 1',
    ],
    [
      'is imported and due: somebody has to',
      ['active'],
      { source: 'imported', policy: every10d },
      'task import',
    ],
    [
      'is provisioned and has none standing by: says so',
      ['active'],
      { source: 'provisioned', policy: policyOf({ standby: 1 }) },
      'task provision',
    ],
    [
      'is provisioned and due: somebody has to',
      ['active'],
      { source: 'provisioned', policy: every10d },
      'task provision',
    ],
    [
      'is provisioned: its standby is promoted, not held back for a third',
      ['active', 'created'],
      { source: 'provisioned', policy: { ...every10d, standby: 1 } },
      'activate 2, retiring 1',
    ],
  ])('%s', (_, states, part, expected) => {
    expect(step(states, part)).toBe(expected)
  })

  test('is due at an instant, and not a millisecond before', () => {
    const policy = policyOf({ everyMs: 10 * dayMs })
    const facts = keyFacts({ versions: versions('active'), policy })
    expect(nextStep(facts, now - 1)).toEqual({ kind: 'done', dueAt: now })
    expect(shown(nextStep(facts, now))).toBe('generate')
  })

  test('takes no generation that its catalogue does not let sign', () => {
    const provisioned = { enabled: new Set([1]), initial: undefined }
    const due = { source: 'provisioned', policy: every10d } as const
    expect(step(['active', 'created'], { ...due, provisioned })).toBe('task provision')
  })

  test('is due at once when its catalogue takes the right to sign from it, and keeps every wait', () => {
    const cutOff = {
      source: 'provisioned',
      provisioned: { enabled: new Set([2]), initial: 1 },
    } as const
    const both = ['active', 'created'] as const
    expect(step(both, cutOff)).toBe('activate 2, retiring 1')
    expect(step(['active'], cutOff)).toBe('task provision')
    expect(step(both, { ...cutOff, unproved: new Map([[2, ['host pid 7']]]) })).toBe('wait proof')
    expect(step(both, { ...cutOff, suspended: new Set([2]) })).toBe('wait suspended')
    const early = { ...cutOff, policy: policyOf({ propagationMs: 1000 * dayMs }) }
    expect(step(both, early)).toBe('wait propagation')
    const none = { ...cutOff, provisioned: { enabled: new Set<number>(), initial: undefined } }
    expect(step(both, none)).toBe('task provision')
    const lets = { ...cutOff, provisioned: { enabled: new Set([1, 2]), initial: undefined } }
    expect(step(both, lets)).toBe('done')
  })

  test('begins with the generation that its catalogue names', () => {
    const provisioned = { enabled: new Set([1, 2]), initial: 2 }
    const first = { source: 'provisioned', provisioned } as const
    expect(step(['created', 'created'], first)).toBe('activate 2')
    expect(step(['revoked', 'created', 'created'], { ...first, asked: askedFor(1) })).toBe(
      'activate 2',
    )
  })
})

describe('the proofs of the processes that sign', () => {
  const unproved = new Map([[2, ['host pid 7']]])
  const asked = askedFor(1)

  test('are waited for, and named', () => {
    const facts = keyFacts({ versions: versions('active', 'created'), unproved, asked })
    expect(nextStep(facts, now)).toEqual({
      kind: 'wait',
      wait: { kind: 'proof', version: 'blog@2', processes: ['host pid 7'] },
    })
  })

  test('are not waited for when a human answers for it', () => {
    expect(step(['active', 'created'], { unproved, asked, isForced: true })).toBe(
      'activate 2, retiring 1',
    )
  })

  test('are not waited for where nothing signs that could be interrupted', () => {
    expect(step(['created'], { unproved: new Map([[1, ['host pid 7']]]) })).toBe('activate 1')
    expect(step(['revoked', 'created'], { unproved, asked })).toBe('activate 2')
  })
})

describe('where each token names its version', () => {
  const two = { activeMax: 2, source: 'imported' } as const

  test.each<[readonly VersionState[], string]>([
    [['active', 'created'], 'activate 2'],
    [['active', 'active'], 'done'],
    [['active', 'active', 'created'], 'task delete'],
  ])('two may sign, and only a human knows which one is no longer used: %j', (states, expected) => {
    expect(step(states, two)).toBe(expected)
  })

  test('it is the older one', () => {
    const facts = keyFacts({ ...two, versions: versions('active', 'active', 'created') })
    expect(nextStep(facts, now)).toMatchObject({
      task: { kind: 'delete', version: 'blog@1', next: 'blog@3' },
    })
  })
})

describe('a version that signs no more', () => {
  test('stays for its overlap, and is retired after it', () => {
    expect(step(['retiring', 'active'])).toBe('wait overlap')
    const policy = policyOf({ overlapMs: 5 * dayMs })
    expect(step(['retiring', 'active'], { policy })).toBe('retire 1')
  })

  test('goes at once in an emergency, and only that one', () => {
    const asked = { replaces: 1, isEmergency: true }
    expect(step(['retiring', 'active'], { asked })).toBe('retire 1')
    expect(step(['retiring', 'active'], { asked: { ...asked, replaces: 2 } })).toBe('generate')
  })

  test('is disabled in its vault where that can be done, whatever else is due', () => {
    const policy = policyOf({ everyMs: 1 })
    for (const state of ['retired', 'revoked'] as const) {
      const awake = [versionOf('blog', 1, { state }), versionOf('blog', 2)]
      const facts = keyFacts({ versions: awake, policy })
      expect(shown(nextStep(facts, now))).toBe('disable 1')
      const failed = new Set(['disable 1'])
      expect(shown(nextStep({ ...facts, failed }, now))).toBe('generate')
    }
  })

  test('is disabled before an older one is retired, which needs a clock that is right', () => {
    const ended = [...versions('retiring'), versionOf('blog', 2, { state: 'revoked' })]
    const facts = keyFacts({ versions: ended, policy: policyOf({ overlapMs: 1 }) })
    expect(shown(nextStep(facts, now))).toBe('disable 2')
    expect(shown(nextStep({ ...facts, failed: new Set(['disable 2']) }, now))).toBe('retire 1')
  })

  test('is left to Terraform where Terraform made it, unless it was revoked', () => {
    const ended = (state: VersionState) =>
      keyFacts({
        versions: [versionOf('blog', 1, { state, source: 'provisioned' })],
      })
    expect(nextStep(ended('retired'), now).kind).not.toBe('disable')
    expect(nextStep(ended('revoked'), now).kind).toBe('disable')
  })

  test('of an imported secret only a human lets go', () => {
    const policy = policyOf({ overlapMs: 1 })
    expect(step(['retiring', 'active'], { source: 'imported', policy })).toBe('task delete')
  })
})

describe('of any versions there can be', () => {
  const states = fc.array(fc.constantFrom(...versionStates), { maxLength: 8 })

  test('only one that never signed is ever activated, and only by taking the place of all that do', () => {
    const property = fc.property(states, fc.boolean(), (list, isDue) => {
      const policy = policyOf({ everyMs: isDue ? 1 : undefined })
      const next = nextStep(keyFacts({ versions: versions(...list), policy }), now)
      if (next.kind !== 'activate') return true
      const signing = list.filter((state) => state === 'active').length
      const isNew = ['created', 'published'].includes(next.version.state)
      return isNew && (signing === 0 || (signing >= 1 && next.retires?.state === 'active'))
    })
    expect(fc.check(property).counterexample).toBeNull()
  })

  test('no key pair is made where one waits that can be used', () => {
    const property = fc.property(states, (list) => {
      const policy = policyOf({ everyMs: 1 })
      const next = nextStep(keyFacts({ versions: versions(...list), policy }), now)
      const waits = list.some((state) => state === 'created' || state === 'published')
      return !(waits && next.kind === 'generate')
    })
    expect(fc.check(property).counterexample).toBeNull()
  })
})
