import { expect, test } from 'vitest'
import { knownAnswerOf } from '../../src/keys/known-answer.ts'
import { ulidSource } from '../../src/lib/ulid.ts'
import { importKey } from '../../src/rotation/import.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import { openEntries } from '../../src/store/journal.ts'
import { insertKeyFacts } from '../../src/store/keys.ts'
import { insertVersion, listVersionsOf } from '../../src/store/versions.ts'
import { keyOf, profileSettings } from '../support/grant.ts'
import { keyTaker } from '../support/key-taker.ts'
import { memoryKey } from '../support/memory-key.ts'
import { storeFile, storeOfThisTest, versionOf } from '../support/store-file.ts'
import { watchedClock } from '../support/watched-clock.ts'

const hs256 = algorithm('HS256')
const face = keyOf('face', {
  algorithm: hs256,
  profile: profileSettings['api-key-token'],
  source: 'imported',
})
const holder = { id: 'import', pid: 1, isAlive: () => false }

test('the third key id that waits beside two that sign is regenerated, and waits on', async () => {
  const store = await storeOfThisTest(await storeFile())
  const taker = keyTaker()
  await store.writeTransaction(async (transaction) => {
    await insertKeyFacts(transaction, face, 1)
    for (const n of [1, 2, 3]) {
      const state = n === 3 ? 'created' : 'active'
      const knownAnswer = new Uint8Array(32).fill(n)
      const part = { state, kid: `k-${n}`, spki: undefined, knownAnswer } as const
      await insertVersion(
        transaction.connection,
        versionOf('face', n, { ...part, algorithm: 'HS256' }),
      )
    }
  })
  const { secret: material } = memoryKey('HS256')
  if (hs256.kty !== 'oct') throw new Error('HS256 is a MAC')
  const identity = { knownAnswer: knownAnswerOf(material, hs256) }
  const wish = { key: face, material, identity, keyId: 'k-3', compared: undefined }
  const vaults = { vaultOf: () => taker.vault, importerOf: () => taker.importer }
  const deps = { store, ...vaults, ...watchedClock(), newId: ulidSource(), actor: 'ada@host' }
  const imported = await importKey(deps, { ...wish, isRegenerated: true }, holder)
  expect(imported).toMatchObject({ version: { n: 4, state: 'created' }, replaced: { n: 3 } })
  const versions = await listVersionsOf(store.connection, 'face')
  const states = versions.map(({ n, state }) => [n, state])
  expect(states).toEqual([
    [1, 'active'],
    [2, 'active'],
    [3, 'revoked'],
    [4, 'created'],
  ])
  expect(await openEntries(store.connection, 'face')).toEqual([])
})
