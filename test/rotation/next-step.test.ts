import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { versionStates, type VersionState } from '../../src/keys/lifecycle.ts'
import { nextStep } from '../../src/rotation/next-step.ts'
import { versionOf } from '../support/store-file.ts'

const versions = (...states: readonly VersionState[]) =>
  states.map((state, i) => versionOf('blog', i + 1, { state }))
const openIntent = { id: '01JD0000000000000000000000', n: 7 }

/** A key without a registry: `[its versions, oldest first]`, and the one next thing to do. */
const table: readonly (readonly [readonly VersionState[], string])[] = [
  [[], 'generate'],
  [['created'], 'activate 1'],
  [['published'], 'activate 1'],
  [['active'], 'done'],
  [['active', 'created'], 'done'],
  [['active', 'published'], 'done'],
  [['created', 'active'], 'done'],
  [['retiring', 'active'], 'done'],
  [['retiring'], 'generate'],
  [['retired'], 'generate'],
  [['revoked'], 'generate'],
  [['destroyed'], 'generate'],
  [['revoked', 'revoked', 'retired'], 'generate'],
  [['revoked', 'created'], 'activate 2'],
  [['revoked', 'published', 'retiring'], 'activate 2'],
  [['created', 'created'], 'activate 2'],
  [['published', 'created'], 'activate 2'],
]

function shown(states: readonly VersionState[]): string {
  const step = nextStep({
    versions: versions(...states),
    openIntent: undefined,
    source: 'generated',
    registry: none,
    isNamed: true,
  })
  return step.kind === 'activate' ? `activate ${step.version.n}` : step.kind
}

test.each(table)('%j: %s', (states, step) => {
  expect(shown(states)).toBe(step)
})

const none = { kind: 'none' } as const

describe('an intent whose end is not known', () => {
  test.each(table)('comes first, whatever else there is: %j', (states) => {
    expect(
      nextStep({
        versions: versions(...states),
        openIntent,
        source: 'generated',
        registry: none,
        isNamed: false,
      }),
    ).toEqual({
      kind: 'resume',
      ...openIntent,
    })
  })
})

describe('of any versions there can be', () => {
  const states = fc.array(fc.constantFrom(...versionStates), { maxLength: 8 })

  test('none that has ended is ever activated', () => {
    const property = fc.property(states, (list) => {
      const step = nextStep({
        versions: versions(...list),
        openIntent: undefined,
        source: 'generated',
        registry: none,
        isNamed: true,
      })
      return step.kind !== 'activate' || ['created', 'published'].includes(step.version.state)
    })
    expect(() => fc.assert(property)).not.toThrow('failed')
  })

  test('nothing is done to a key that signs', () => {
    const property = fc.property(states, (list) => {
      const step = nextStep({
        versions: versions(...list),
        openIntent: undefined,
        source: 'generated',
        registry: none,
        isNamed: true,
      })
      return list.includes('active') === (step.kind === 'done')
    })
    expect(() => fc.assert(property)).not.toThrow('failed')
  })

  test('no key pair is made where one waits', () => {
    const property = fc.property(states, (list) => {
      const step = nextStep({
        versions: versions(...list),
        openIntent: undefined,
        source: 'generated',
        registry: none,
        isNamed: true,
      })
      const waits = list.some((state) => state === 'created' || state === 'published')
      return !(waits && step.kind === 'generate')
    })
    expect(() => fc.assert(property)).not.toThrow('failed')
  })
})

describe('a key that nobody named', () => {
  test('gets its first version', () => {
    expect(
      nextStep({
        versions: [],
        openIntent: undefined,
        source: 'generated',
        registry: none,
        isNamed: false,
      }),
    ).toEqual({
      kind: 'generate',
    })
  })

  test('whose version was revoked after it had signed stays as it is: a timer undoes no decision', () => {
    const signed = versionOf('blog', 1, { state: 'revoked', activatedAt: 1 })
    const source = 'generated' as const
    const facts = { versions: [signed], openIntent: undefined, source, registry: none }
    expect(nextStep({ ...facts, isNamed: false })).toEqual({ kind: 'done' })
    expect(nextStep({ ...facts, isNamed: true })).toEqual({ kind: 'generate' })
  })
})
