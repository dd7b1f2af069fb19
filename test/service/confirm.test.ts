import { describe, expect, test } from 'vitest'
import type { Key } from '../../src/keys/key.ts'
import type { VersionState } from '../../src/keys/lifecycle.ts'
import type { KeyVersion } from '../../src/keys/version.ts'
import { confirmDeleted, confirmFingerprint } from '../../src/service/confirm.ts'
import { readExpectation } from '../../src/service/expectation.ts'
import { fingerprints } from '../../src/signing/fingerprint.ts'
import { insertKeyFacts } from '../../src/store/keys.ts'
import { insertVersion, listVersionsOf } from '../../src/store/versions.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import { keyOf, profileSettings } from '../support/grant.ts'
import { manualClock } from '../support/manual-clock.ts'
import { memoryKeyPair } from '../support/memory-key.ts'
import { linksIn, storeFile, storeOfThisTest, versionOf } from '../support/store-file.ts'

const profile = profileSettings['github-app']
const registry = { kind: 'manual', system: 'github', url: 'https://github.com/settings' } as const
const bot = keyOf('bot', { profile, registry, source: 'imported', algorithm: algorithm('RS256') })
const face = keyOf('face', {
  algorithm: algorithm('HS256'),
  profile: profileSettings['api-key-token'],
  source: 'imported',
})
const app = keyOf('app', { registry: { kind: 'app', registry: 'apps', app: 'app' } })
const keys = new Map<string, Key>([bot, face, app].map((key) => [key.name, key]))

const { publicKey } = memoryKeyPair('RS256')
const own = fingerprints(publicKey)
const other = fingerprints(memoryKeyPair('RS256', 'other').publicKey)

const pairVersion = (state: VersionState, part: Partial<KeyVersion> = {}) =>
  versionOf('bot', 1, { state, algorithm: 'RS256', spki: publicKey.spki, ...part })
const secretVersion = (n: number, state: VersionState) =>
  versionOf('face', n, {
    state,
    algorithm: 'HS256',
    spki: undefined,
    knownAnswer: new Uint8Array(32).fill(n),
  })

async function storeWith(...versions: readonly KeyVersion[]) {
  const store = await storeOfThisTest(await storeFile())
  await store.writeTransaction(async (transaction) => {
    for (const version of versions) {
      await insertKeyFacts(transaction, keys.get(version.key) ?? keyOf(version.key), 1)
      await insertVersion(transaction.connection, version)
    }
  })
  const deps = { store, clock: manualClock(), actor: 'ada@host' }
  const states = async (key: string) =>
    (await listVersionsOf(store.connection, key)).map(({ state }) => state)
  return { store, deps, states }
}

const seen = (text: string, version = 'bot@1') => ({ version, expectation: readExpectation(text) })

describe('a fingerprint that a human has seen', () => {
  test('publishes the version, and is recorded', async () => {
    const { deps, store } = await storeWith(pairVersion('created'))
    const confirmed = await confirmFingerprint(deps, keys, seen(`github=${own.github}`))
    expect(confirmed).toEqual({ version: 'bot@1', before: 'created', after: 'published' })
    const [version] = await listVersionsOf(store.connection, 'bot')
    expect(version).toMatchObject({ state: 'published', publishedAt: 1_800_000_000_000 })
    const [, record] = (await linksIn(store)).map(({ body }): unknown => JSON.parse(body))
    expect(record).toMatchObject({
      command: 'confirm',
      subject: 'bot@1',
      actor: 'ada@host',
      reason: 'github fingerprint seen at its registry',
      before: 'created',
      after: 'published',
    })
  })

  test.each(['published', 'active', 'retiring'] as const)(
    'of a %s version changes nothing, and leaves no record',
    async (state) => {
      const { deps, store } = await storeWith(pairVersion(state))
      const confirmed = await confirmFingerprint(deps, keys, seen(`icr=${own.icr}`))
      expect(confirmed).toMatchObject({ before: state, after: state })
      expect(await linksIn(store)).toEqual([])
    },
  )

  test('another one is refused with both, and nothing changes', async () => {
    const { deps, states } = await storeWith(pairVersion('created'))
    const asked = confirmFingerprint(deps, keys, seen(`github=${other.github}`))
    await expect(asked).rejects.toMatchObject({
      code: 'refused',
      details: {
        issues: [{ message: `expected ${other.github}, and the key has ${own.github}` }],
      },
    })
    expect(await states('bot')).toEqual(['created'])
  })

  test.each(['retired', 'revoked'] as const)('a %s version does not come back', async (state) => {
    const { deps, states } = await storeWith(pairVersion(state))
    const asked = confirmFingerprint(deps, keys, seen(`github=${own.github}`))
    await expect(asked).rejects.toMatchObject({ code: 'refused' })
    expect(await states('bot')).toEqual([state])
  })

  test.each([
    ['bot@2', 'refused', 'no version bot@2'],
    ['bot', 'usage', 'KEY@N'],
    ['face@1', 'refused', 'it has no registry'],
    ['app@1', 'refused', 'asked by `chancery rotate`'],
    ['gone@1', 'refused', 'The configuration has no key gone any more'],
  ])('%s: %s', async (version, code, words) => {
    const { deps } = await storeWith(
      secretVersion(1, 'created'),
      versionOf('app'),
      versionOf('gone'),
    )
    const asked = confirmFingerprint(deps, keys, seen(`github=${own.github}`, version))
    await expect(asked).rejects.toMatchObject({ code, message: expect.stringContaining(words) })
  })
})

describe('a deletion that a human has done', () => {
  test.each([
    ['retiring', 'retired'],
    ['published', 'retired'],
    ['revoked', 'revoked'],
    ['retired', 'retired'],
  ] as const)('%s becomes %s, and is withdrawn', async (before, after) => {
    const { deps, store } = await storeWith(pairVersion(before))
    const confirmed = await confirmDeleted(deps, keys, { version: 'bot@1' })
    expect(confirmed).toEqual({ version: 'bot@1', before, after })
    const [version] = await listVersionsOf(store.connection, 'bot')
    expect(version).toMatchObject({ state: after, withdrawnAt: 1_800_000_000_000 })
    const again = await confirmDeleted(deps, keys, { version: 'bot@1' })
    expect(again).toEqual({ version: 'bot@1', before: after, after })
    expect(await linksIn(store)).toHaveLength(2) // the writer’s own, and one
  })

  test('the only version that signs cannot be confirmed away', async () => {
    const { deps, states } = await storeWith(pairVersion('active'))
    const asked = confirmDeleted(deps, keys, { version: 'bot@1' })
    await expect(asked).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('the only version of bot that signs'),
    })
    expect(await states('bot')).toEqual(['active'])
  })

  test('of two key ids that sign, the one whose key was deleted signs no more', async () => {
    const { deps, states } = await storeWith(secretVersion(1, 'active'), secretVersion(2, 'active'))
    const confirmed = await confirmDeleted(deps, keys, { version: 'face@1' })
    expect(confirmed).toMatchObject({ before: 'active', after: 'retired' })
    expect(await states('face')).toEqual(['retired', 'active'])
    const rest = confirmDeleted(deps, keys, { version: 'face@2' })
    await expect(rest).rejects.toMatchObject({ code: 'refused' })
  })

  test('what never came to its registry was not deleted there', async () => {
    const { deps, states } = await storeWith(pairVersion('created'))
    const asked = confirmDeleted(deps, keys, { version: 'bot@1' })
    await expect(asked).rejects.toMatchObject({ code: 'refused' })
    expect(await states('bot')).toEqual(['created'])
  })

  test('a registry that a program looks after needs nobody’s word', async () => {
    const { deps } = await storeWith(versionOf('app', 1, { state: 'retiring' }))
    const asked = confirmDeleted(deps, keys, { version: 'app@1' })
    await expect(asked).rejects.toMatchObject({ code: 'refused' })
  })
})
