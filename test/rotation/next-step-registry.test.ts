import { describe, expect, test } from 'vitest'
import type { VersionState } from '../../src/keys/lifecycle.ts'
import type { KeyVersion } from '../../src/keys/version.ts'
import type { RegistryState, SeenKey } from '../../src/rotation/facts.ts'
import { nextStep } from '../../src/rotation/next-step.ts'
import { app, lived, now, ours, policy, step, versionsIn } from '../support/registered-key.ts'
import { dayMs, keyFacts, policyOf, seen, unknown } from '../support/rotation-facts.ts'

/** The one next thing to do for a key whose public half somebody else has to know first. */

describe('in an app of a registry, the first version', () => {
  test.each<[string, readonly VersionState[], readonly SeenKey[] | undefined, string]>([
    ['nobody has looked yet: look, before a key is made', [], undefined, 'look'],
    ['there is room: make one', [], [], 'generate'],
    ['there is room beside keys of others', [], unknown('a', 'b'), 'generate'],
    ['there is no room: wait, and make none', [], unknown('a', 'b', 'c'), 'wait slots'],
    ['made, and nobody has looked since', ['created'], undefined, 'look'],
    ['made, and there is room: publish it', ['created'], [], 'publish 1'],
    ['made, and the room is gone: wait', ['created'], unknown('a', 'b', 'c'), 'wait slots'],
    ['made, and there already: record that', ['created'], ours(1), 'publish 1'],
    [
      'there already takes no further slot',
      ['created'],
      [...unknown('a', 'b'), ...ours(1)],
      'publish 1',
    ],
    ['published: it signs, whatever the registry has', ['published'], undefined, 'activate 1'],
  ])('%s', (_, states, registered, expected) => {
    expect(step(app(registered), states)).toBe(expected)
  })

  test('signs as soon as it was read back, however long verifiers may take', () => {
    expect(step(app([], dayMs), [lived(1, 'published', { publishedAt: now })])).toBe('activate 1')
  })

  test('whose slots are taken waits, and names who takes them', () => {
    const taken = [...unknown('a', 'b'), { kid: 'c', version: 'shop@4', lastUsedAt: undefined }]
    expect(nextStep(keyFacts({ registry: app(taken) }), now)).toEqual({
      kind: 'wait',
      wait: { kind: 'slots', slots: 3, unknownKids: ['a', 'b'], versions: ['shop@4'] },
    })
  })

  test('has no bound where the registry has none', () => {
    const many = { kind: 'app', slots: undefined, seen: seen(unknown('a', 'b', 'c', 'd')) } as const
    expect(step(many, [])).toBe('generate')
    expect(step(many, ['created'])).toBe('publish 1')
  })

  test('that a run was making is finished before anything is looked at', () => {
    expect(step(app(), [], { openIntent: { id: 'an-id', n: 1 } })).toBe('resume')
  })

  test('of an imported key is somebody else’s to make, and ours to publish', () => {
    expect(step(app(), [], { source: 'imported' })).toBe('task import')
    expect(step(app([]), ['created'], { source: 'imported' })).toBe('publish 1')
  })
})

describe('in an app of a registry, a rotation', () => {
  const asked = { replaces: 1, isEmergency: false }

  test.each<[string, readonly VersionState[], readonly SeenKey[] | undefined, string]>([
    ['is not due: a standby is made', ['active'], ours(1), 'generate'],
    ['is not due: the standby is published', ['active', 'created'], ours(1), 'publish 2'],
    [
      'is not due, and a standby is there: nothing, and nobody is asked',
      ['active', 'published'],
      undefined,
      'done',
    ],
  ])('%s', (_, states, registered, expected) => {
    expect(step(app(registered), states)).toBe(expected)
  })

  test.each<[string, readonly VersionState[], readonly SeenKey[] | undefined, string]>([
    ['looks first', ['active', 'published'], undefined, 'look'],
    ['makes a third version', ['active', 'published'], ours(1, 2), 'generate'],
    ['publishes it', ['active', 'published', 'created'], ours(1, 2), 'publish 3'],
    [
      'waits while a stranger has the third slot',
      ['active', 'published', 'created'],
      [...ours(1, 2), ...unknown('a')],
      'wait slots',
    ],
    [
      'then promotes the standby',
      ['active', 'published', 'published'],
      ours(1, 2, 3),
      'activate 2, retiring 1',
    ],
    [
      'tells a registry again that has lost the standby',
      ['active', 'published', 'published'],
      ours(1, 3),
      'publish 2',
    ],
  ])('that is due %s', (_, states, registered, expected) => {
    expect(step(app(registered), states, { asked })).toBe(expected)
  })

  test('is told of again where nobody knows whether it was: it is seen from then on', () => {
    const unsure = { asked, publishing: new Set([2]) }
    const ready: readonly VersionState[] = ['active', 'published', 'published']
    expect(step(app(ours(1, 2, 3)), ready, unsure)).toBe('publish 2')
  })

  test.each<[string, readonly VersionState[], readonly number[], string]>([
    ['the standby behind another one', ['active', 'published', 'published'], [3], 'publish 3'],
    [
      'a version that signs since a revocation',
      ['revoked', 'active', 'published'],
      [2],
      'publish 2',
    ],
    ['one after a revocation left none', ['revoked', 'published'], [2], 'publish 2'],
    ['one whose tokens are in use', ['retiring', 'active', 'published'], [1], 'publish 1'],
    ['first those that sign', ['retired', 'active', 'published'], [2, 3], 'publish 2'],
    ['one that has ended', ['retired', 'active', 'published'], [1], 'done'],
    ['one that was revoked', ['revoked', 'active', 'published'], [1], 'done'],
  ])(
    'with nothing else to do tells of what may not have been told: %s',
    (_, states, numbers, expected) => {
      const facts = { publishing: new Set(numbers) }
      expect(step(app(ours(1, 2, 3)), states, facts)).toBe(expected)
    },
  )

  test('tells nobody again of what an emergency is to end, while the next one waits', () => {
    const young = [lived(1, 'active'), lived(2, 'published', { publishedAt: now })]
    const emergency = { asked: { replaces: 1, isEmergency: true }, publishing: new Set([1]) }
    expect(step(app(ours(1, 2)), young, emergency)).toBe('wait propagation')
  })

  test('does not hide what somebody has to do behind slots that are taken', () => {
    const provisioned = { source: 'provisioned', asked, publishing: new Set([1]) } as const
    expect(step(app(unknown('a', 'b', 'c')), ['active'], provisioned)).toBe('task provision')
    expect(step(app(unknown('a')), ['active'], provisioned)).toBe('publish 1')
    const alone = { policy: { ...policy, standby: 0 }, publishing: new Set([1]) }
    expect(step(app(unknown('a', 'b', 'c')), ['active'], alone)).toBe('wait slots')
  })

  test('tells nobody of a suspended version, whatever was to be told', () => {
    const unsure = { publishing: new Set([3]), suspended: new Set([3]) }
    expect(step(app(ours(1, 2, 3)), ['active', 'published', 'published'], unsure)).toBe('done')
  })

  test('waits for the longer of the key’s propagation and the registry’s own', () => {
    const ready = [
      lived(1, 'active'),
      lived(2, 'published', { publishedAt: now - 299_999 }),
      lived(3, 'published'),
    ]
    const wait = (registry: RegistryState) =>
      nextStep(keyFacts({ versions: ready, registry, policy, asked }), now)
    expect(wait(app(ours(1, 2, 3)))).toMatchObject({ wait: { version: 'blog@2', until: now + 1 } })
    const longer = { wait: { kind: 'propagation', until: now + 1 + 60_000 } }
    expect(wait(app(ours(1, 2, 3), 360_000))).toMatchObject(longer)
    expect(wait(app(ours(1, 2, 3), 1_000))).toMatchObject({ wait: { until: now + 1 } })
  })

  test('of a key without standby publishes the next version, waits, and switches', () => {
    const alone = { asked, policy: { ...policy, standby: 0 } }
    expect(step(app(ours(1)), ['active'], alone)).toBe('generate')
    expect(step(app(ours(1, 2)), ['active', 'published'], alone)).toBe('activate 2, retiring 1')
  })

  test('in an emergency promotes the standby before anything is made, once it can be seen', () => {
    const emergency = { asked: { replaces: 1, isEmergency: true } }
    expect(step(app(ours(1, 2)), ['active', 'published'], emergency)).toBe('activate 2, retiring 1')
    const young = [lived(1, 'active'), lived(2, 'published', { publishedAt: now })]
    expect(step(app(ours(1, 2)), young, emergency)).toBe('wait propagation')
    expect(step(app(ours(1)), ['active'], emergency)).toBe('generate')
  })

  test('with fewer slots than it would like promotes first, and makes the standby later', () => {
    const two = { kind: 'app', slots: 2, seen: seen(ours(1, 2)) } as const
    expect(step(two, ['active', 'published'], { asked })).toBe('activate 2, retiring 1')
  })

  test('waits for versions of ours that still take the slots, and names them', () => {
    const crowded = keyFacts({
      versions: versionsIn('retiring', 'active', 'published'),
      registry: app(ours(1, 2, 3)),
      policy,
      asked: { replaces: 2, isEmergency: false },
    })
    expect(nextStep(crowded, now)).toMatchObject({
      wait: { kind: 'slots', unknownKids: [], versions: ['blog@1', 'blog@2', 'blog@3'] },
    })
  })
})

describe('in an app of a registry, a version that signs no more', () => {
  const short = { policy: policyOf({ overlapMs: dayMs, standby: 1 }) }
  const used = (lastUsedAt: number): readonly SeenKey[] =>
    ours(1, 2, 3).map((key) => (key.kid === 'kid-1' ? { ...key, lastUsedAt } : key))
  const states: readonly VersionState[] = ['retiring', 'active', 'published']

  test('is withdrawn after its overlap, when its registry was looked at', () => {
    expect(step(app(), states)).toBe('wait overlap')
    expect(step(app(), states, short)).toBe('look')
    expect(step(app(ours(1, 2, 3)), states, short)).toBe('withdraw 1')
  })

  test('is not withdrawn as long as its registry saw it used within an overlap', () => {
    expect(step(app(used(now - dayMs + 1)), states, short)).toBe('wait used')
    expect(step(app(used(now - dayMs)), states, short)).toBe('withdraw 1')
  })

  test('is withdrawn at once in an emergency, used or not', () => {
    const asked = { replaces: 1, isEmergency: true }
    expect(step(app(used(now)), states, { asked })).toBe('withdraw 1')
  })

  test('and was revoked is withdrawn at once, by whatever run comes first', () => {
    const revoked = [lived(1, 'revoked', { withdrawnAt: undefined }), lived(2, 'active')]
    expect(step(app(), revoked)).toBe('withdraw 1')
    expect(step(app(ours(1, 2)), revoked, { failed: new Set(['withdraw 1']) })).toBe('generate')
  })

  test('and was revoked is put away before the registry is looked at for an older one', () => {
    const after = (part: Partial<KeyVersion>, registered?: readonly SeenKey[]) => {
      const revoked = lived(2, 'revoked', part)
      return step(app(registered), [lived(1, 'retiring'), revoked, lived(3, 'active')], short)
    }
    expect(after({ disabledAt: undefined })).toBe('disable 2')
    expect(after({ withdrawnAt: undefined })).toBe('withdraw 2')
    expect(after({})).toBe('look')
    expect(after({ disabledAt: undefined }, ours(1, 3))).toBe('disable 2')
  })
})

describe('in a registry that a human looks after', () => {
  const manual = { kind: 'manual' } as const
  const imported = { source: 'imported', policy: policyOf({ overlapMs: dayMs }) } as const
  test.each<[string, readonly VersionState[], string]>([
    ['no version: it is imported', [], 'task import'],
    ['created: nobody has compared it yet', ['created'], 'task confirm'],
    ['published: compared when it was imported', ['published'], 'activate 1'],
    ['of two, the one that was compared', ['created', 'published'], 'activate 2'],
    ['another was imported, and not compared', ['active', 'created'], 'done'],
    ['another was imported: it takes over', ['active', 'published'], 'activate 2, retiring 1'],
    ['active', ['active'], 'done'],
    ['the overlap is over: a human deletes it', ['retiring', 'active'], 'task delete'],
  ])('%s', (_, states, expected) => {
    expect(step(manual, states, imported)).toBe(expected)
  })

  test('a revoked version is deleted by a human, too', () => {
    const revoked = [lived(1, 'revoked', { withdrawnAt: undefined })]
    expect(step(manual, revoked, imported)).toBe('task delete')
  })
})

test('a version that has to go is replaced by none that is suspended: another one is made', () => {
  const asked = { replaces: 1, isEmergency: true }
  const suspended = new Set([2])
  const all = ['active', 'published', 'published'] as const
  expect(step(app(ours(1, 2)), all.slice(0, 2), { asked, suspended })).toBe('generate')
  expect(step(app(ours(1, 2, 3)), all, { asked, suspended })).toBe('activate 3, retiring 1')
})
