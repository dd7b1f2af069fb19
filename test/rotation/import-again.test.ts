import { expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { knownAnswerOf } from '../../src/keys/known-answer.ts'
import { ulidSource } from '../../src/lib/ulid.ts'
import { importKey } from '../../src/rotation/import.ts'
import type { ImportWish } from '../../src/rotation/import-run.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import type { Vault } from '../../src/signing/signer.ts'
import { listVersionsOf } from '../../src/store/versions.ts'
import { keyOf, profileSettings } from '../support/grant.ts'
import { keyTaker } from '../support/key-taker.ts'
import { memoryKey, memoryKeyPair } from '../support/memory-key.ts'
import { storeFile, storeOfThisTest } from '../support/store-file.ts'
import { watchedClock } from '../support/watched-clock.ts'

/** A key that is imported again: whoever does may delete its file because of what is answered. */

const newId = ulidSource()
const holder = { id: 'import', pid: 1, isAlive: () => false }

function pair(): ImportWish {
  const { secret: material, publicKey } = memoryKeyPair('ES256')
  const key = keyOf('bot', {
    profile: profileSettings['generic-jwt'],
    source: 'imported',
    registry: { kind: 'manual', system: 'github', url: 'https://github.com' },
  })
  const identity = { spki: publicKey.spki }
  return { key, material, identity, keyId: undefined, isRegenerated: false, compared: undefined }
}

function secret(): ImportWish {
  const row = algorithm('HS256')
  if (row.kty !== 'oct') throw new Error('HS256 is a MAC')
  const { secret: material } = memoryKey('HS256')
  const profile = profileSettings['api-key-token']
  const key = keyOf('face', { algorithm: row, profile, source: 'imported' })
  const identity = { knownAnswer: knownAnswerOf(material, row) }
  return { key, material, identity, keyId: 'k-1', isRegenerated: false, compared: undefined }
}

async function imported(wish: ImportWish) {
  const store = await storeOfThisTest(await storeFile())
  const { importer, vault: own } = keyTaker()
  const run = (asked: ImportWish, vault: Vault) => {
    const deps = { store, importerOf: () => importer, vaultOf: () => vault, newId }
    return importKey({ ...deps, ...watchedClock(), actor: 'ada@host' }, asked, holder)
  }
  const { version } = await run(wish, own)
  return { store, version, again: (vault: Vault) => run({ ...wish, compared: 'github' }, vault) }
}

const unproved = (code: string) => ({
  code,
  message: expect.stringMatching(/@1 was imported already, and its vault .*Keep the key file$/),
})

test.each([
  ['a pair', pair, memoryKey('ES256', 'other')],
  ['a secret', secret, memoryKey('HS256', 'other')],
])('%s whose vault does not answer for it changes nothing', async (_, wish, { signer }) => {
  const { store, version, again } = await imported(wish())
  const gone = async () => Promise.reject(new ServiceError('vault_unavailable', 'It is down'))
  await expect(again({ open: gone })).rejects.toMatchObject(unproved('vault_unavailable'))
  const another = async () => ({ ...signer, custody: 'kms-imported' as const })
  await expect(again({ open: another })).rejects.toMatchObject(unproved('vault_key_unusable'))
  expect(await listVersionsOf(store.connection, version.key)).toEqual([version])
})
