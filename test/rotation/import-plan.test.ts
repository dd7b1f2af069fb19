import { describe, expect, test } from 'vitest'
import type { VersionState } from '../../src/keys/lifecycle.ts'
import { planImport, type WantedImport } from '../../src/rotation/import-plan.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import { keyOf, profileSettings } from '../support/grant.ts'
import { versionOf } from '../support/store-file.ts'

const bot = keyOf('bot', { source: 'imported' })
const face = keyOf('face', {
  algorithm: algorithm('HS256'),
  profile: profileSettings['api-key-token'],
  source: 'imported',
})
const mine = versionOf('bot', 1)
const theirs = versionOf('other', 4)
const spki = new Uint8Array(91).fill(1)
const answer = (byte: number) => new Uint8Array(32).fill(byte)
const secretOf = (n: number, kid: string, byte: number, state: VersionState = 'active') =>
  versionOf('face', n, {
    kid,
    state,
    algorithm: 'HS256',
    spki: undefined,
    knownAnswer: answer(byte),
  })

const pair = (part: Partial<WantedImport> = {}): WantedImport => ({
  key: bot,
  identity: { spki },
  keyId: undefined,
  isRegenerated: false,
  ...part,
})
const secret = (byte: number, keyId: string, isRegenerated = false): WantedImport => ({
  key: face,
  identity: { knownAnswer: answer(byte) },
  keyId,
  isRegenerated,
})

const refused = (words: string) =>
  expect.objectContaining({ code: 'refused', message: expect.stringContaining(words) })

test('a key that nobody has is imported', () => {
  expect(planImport([mine, theirs], pair())).toEqual({ kind: 'import', replaces: undefined })
})

test('a pair that another key already uses is refused, whatever its state', () => {
  for (const state of ['created', 'active', 'revoked', 'retired'] as const) {
    const versions = [mine, versionOf('other', 4, { spki, state })]
    expect(() => planImport(versions, pair())).toThrowError(refused('already other@4'))
  }
})

test.each(['created', 'published', 'active', 'retiring'] as const)(
  'a pair that is a %s version of the key is there already',
  (state) => {
    const version = versionOf('bot', 1, { spki, state })
    expect(planImport([version], pair())).toEqual({ kind: 'already', version })
  },
)

test.each(['retired', 'revoked', 'destroyed'] as const)(
  'a pair that is a %s version does not come back',
  (state) => {
    const versions = [versionOf('bot', 1, { spki, state })]
    expect(() => planImport(versions, pair())).toThrowError(refused('which has ended'))
  },
)

describe('secrets', () => {
  const one = secretOf(1, 'k-1', 1)

  test('a second key id is imported while the first signs', () => {
    expect(planImport([one], secret(2, 'k-2'))).toEqual({ kind: 'import', replaces: undefined })
  })

  test('a third, while two sign, is refused before anything is uploaded', () => {
    const versions = [one, secretOf(2, 'k-2', 2)]
    const words = 'face@1 and face@2 sign, and no third can: delete the old key at the portal'
    expect(() => planImport(versions, secret(3, 'k-3'))).toThrowError(refused(words))
  })

  test.each(['created', 'published', 'retiring'] as const)(
    'a third, while one signs and one is %s, is refused: all three could come to sign',
    (state) => {
      const versions = [one, secretOf(2, 'k-2', 2, state)]
      expect(() => planImport(versions, secret(3, 'k-3'))).toThrowError(
        refused('face@1 and face@2'),
      )
    },
  )

  test('what waits to sign is not said to sign, nor the only one that does to be deleted', () => {
    const versions = [one, secretOf(2, 'k-2', 2, 'created')]
    const words = 'face@2 does not sign yet: see what it waits for with `chancery rotate face`'
    expect(() => planImport(versions, secret(3, 'k-3'))).toThrowError(refused(words))
  })

  test('what has ended takes no room', () => {
    const ended = (['retired', 'destroyed', 'revoked'] as const).map((state, at) =>
      secretOf(at + 2, `k-${at + 2}`, at + 2, state),
    )
    const plan = planImport([one, ...ended], secret(9, 'k-9'))
    expect(plan).toEqual({ kind: 'import', replaces: undefined })
  })

  test('the same key id with another secret needs --regenerated, and then replaces it', () => {
    expect(() => planImport([one], secret(2, 'k-1'))).toThrowError(refused('say --regenerated'))
    expect(planImport([one], secret(2, 'k-1', true))).toEqual({ kind: 'import', replaces: one })
  })

  test('--regenerated replaces one of two that sign', () => {
    const versions = [one, secretOf(2, 'k-2', 2)]
    expect(planImport(versions, secret(3, 'k-1', true))).toEqual({ kind: 'import', replaces: one })
  })

  test('--regenerated of a key id that no version has, or had, is refused', () => {
    expect(() => planImport([one], secret(2, 'k-9', true))).toThrowError(
      refused('without --regenerated'),
    )
    const gone = secretOf(1, 'k-1', 1, 'revoked')
    expect(() => planImport([gone], secret(2, 'k-1', true))).toThrowError(
      refused('without --regenerated'),
    )
  })

  test('the same secret is there already, also when --regenerated is said again', () => {
    const version = secretOf(2, 'k-1', 2)
    for (const isRegenerated of [false, true]) {
      const plan = planImport([version], secret(2, 'k-1', isRegenerated))
      expect(plan).toEqual({ kind: 'already', version })
    }
  })

  test('the same secret under another key id is a mistake', () => {
    expect(() => planImport([one], secret(1, 'k-2'))).toThrowError(refused('of the key id k-1'))
  })

  test('the same secret in another key is refused', () => {
    const other = { ...secretOf(3, 'k-1', 1), key: 'other' }
    expect(() => planImport([other], secret(1, 'k-1'))).toThrowError(refused('already other@3'))
  })

  test('an equal known answer of another algorithm is another secret', () => {
    const other = { ...secretOf(3, 'k-1', 1), key: 'other', algorithm: 'HS512' as const }
    expect(planImport([other], secret(1, 'k-1'))).toMatchObject({ kind: 'import' })
  })

  test('a key id is free again when its version has ended', () => {
    const gone = secretOf(1, 'k-1', 1, 'retired')
    expect(planImport([gone], secret(2, 'k-1'))).toEqual({ kind: 'import', replaces: undefined })
  })
})
