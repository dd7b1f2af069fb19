import { expect, test } from 'vitest'
import { spkiSha256 } from '../../src/keys/catalogue.ts'
import { ulidSource } from '../../src/lib/ulid.ts'
import { importKey } from '../../src/rotation/import.ts'
import type { ImportWish } from '../../src/rotation/import-run.ts'
import { ServiceError } from '../../src/errors.ts'
import type { Vault } from '../../src/signing/signer.ts'
import { openEntries } from '../../src/store/journal.ts'
import { takeLease } from '../../src/store/lease.ts'
import { listOrphans } from '../../src/store/orphans.ts'
import { insertRevokedDigest } from '../../src/store/revoked-digests.ts'
import { listVersionsOf } from '../../src/store/versions.ts'
import { keyOf, profileSettings } from '../support/grant.ts'
import { recordsOf } from '../support/command-deps.ts'
import type { Point } from '../support/key-maker.ts'
import { keyTaker } from '../support/key-taker.ts'
import { memoryKeyPair } from '../support/memory-key.ts'
import { httpDate } from '../support/shown-date.ts'
import { storeFile, storeOfThisTest } from '../support/store-file.ts'
import { watchedClock } from '../support/watched-clock.ts'

/** What the store refuses, before the upload and after it. */

const newId = ulidSource()
const holder = { id: 'import', pid: 1, isAlive: () => false }
const key = keyOf('bot', { profile: profileSettings['generic-jwt'], source: 'imported' })
const { secret: material, publicKey } = memoryKeyPair('ES256')
const wish: ImportWish = {
  key,
  material,
  identity: { spki: publicKey.spki },
  keyId: undefined,
  isRegenerated: false,
  compared: undefined,
}

async function parts(point?: Point) {
  const store = await storeOfThisTest(await storeFile())
  const taker = keyTaker(point)
  const run = (vault: Vault = taker.vault, watched = watchedClock()) => {
    const deps = { store, importerOf: () => taker.importer, vaultOf: () => vault, newId }
    return importKey({ ...deps, ...watched, actor: 'ada@host' }, wish, holder)
  }
  const revoke = () =>
    store.writeTransaction((transaction) =>
      insertRevokedDigest(transaction, spkiSha256(publicKey.spki), 1),
    )
  /** Something else happens while the vault is asked for the key that it has just taken. */
  const meanwhile = (work: () => Promise<unknown>): Vault => ({
    open: async (...asked) => {
      await work()
      return taker.vault.open(...asked)
    },
  })
  return { store, taker, run, revoke, meanwhile }
}

const told = (words: string) => ({
  code: 'refused',
  message: expect.stringMatching(new RegExp(`${words}.*as bot@1 with the tag chancery:intent=\\w`)),
})

test('by a clock that the vault contradicts nothing becomes a version, and then what the vault has does', async () => {
  const { store, run, meanwhile } = await parts()
  const watched = watchedClock()
  const saysTime = async () => {
    const answered = watched.clocks.timingOf(`vault ${key.vault}`)()
    answered(new Headers({ Date: httpDate(watched.clock.now() - 3_600_000) }))
  }
  await expect(run(meanwhile(saysTime), watched)).rejects.toMatchObject({
    code: 'clock_wrong',
    message: expect.stringMatching(/set it by NTP.*as bot@1 with the tag chancery:intent=\w/),
  })
  expect(await listVersionsOf(store.connection, 'bot')).toEqual([])
  expect(await run()).toMatchObject({ version: { n: 1, resource: 'key-0' } })
})

test('a pair that a catalogue revokes is refused, and nothing is uploaded or reserved', async () => {
  const { store, taker, run, revoke } = await parts()
  await revoke()
  await expect(run()).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('This key pair is revoked'),
  })
  expect(taker.taken).toEqual([])
  expect(await openEntries(store.connection, 'bot')).toEqual([])
})

test('a pair that is revoked while it is uploaded is told by its tag, and then as an orphan', async () => {
  const { store, taker, run, revoke, meanwhile } = await parts()
  await expect(run(meanwhile(revoke))).rejects.toMatchObject(told('This key pair is revoked'))
  const intent = taker.taken[0]?.request.intentId
  await expect(run()).rejects.toMatchObject({ code: 'refused' })
  expect(await listOrphans(store.connection)).toEqual([
    { key: 'bot', n: 1, vault: 'local', intent, resource: 'key-0' },
  ])
  expect(await openEntries(store.connection, 'bot')).toEqual([])
  expect(await listVersionsOf(store.connection, 'bot')).toEqual([])
  expect(taker.taken).toHaveLength(1)
})

test('an import that had not reached its vault ends with its pair: nothing waits for somebody to go on', async () => {
  let isDown = true
  const point = (name: string) => {
    if (isDown && name === 'before create') throw new ServiceError('vault_unavailable', 'Down')
  }
  const { store, taker, run, revoke } = await parts(point)
  await expect(run()).rejects.toMatchObject({ code: 'vault_unavailable' })
  const [open] = await openEntries(store.connection, 'bot')
  expect(open).toMatchObject({ step: 'import', n: 1 })
  isDown = false
  await revoke()
  for (let i = 0; i < 2; i += 1) await expect(run()).rejects.toMatchObject({ code: 'refused' })
  expect(taker.taken).toEqual([])
  expect(await openEntries(store.connection, 'bot')).toEqual([])
  expect(await listOrphans(store.connection)).toEqual([])
  expect(await recordsOf(store)).toMatchObject([
    {
      subject: 'bot@1',
      command: 'import',
      before: 'none',
      reason: `an earlier import left nothing in the vault, intent ${open?.id}`,
    },
  ])
})

test('where the vault cannot be searched, an import stays open until it can', async () => {
  let isDown = true
  const point = (name: string) => {
    if (isDown) throw new ServiceError('vault_unavailable', `Down ${name}`)
  }
  const { store, run, revoke } = await parts(point)
  await expect(run()).rejects.toMatchObject({ code: 'vault_unavailable' })
  await revoke()
  await expect(run()).rejects.toMatchObject({ code: 'vault_unavailable' })
  expect(await openEntries(store.connection, 'bot')).toHaveLength(1)
  isDown = false
  await expect(run()).rejects.toMatchObject({ code: 'refused' })
  expect(await openEntries(store.connection, 'bot')).toEqual([])
})

test('a job that takes over after the upload: the key is told by its tag, and gone on with', async () => {
  const { store, taker, run, meanwhile } = await parts()
  const other = { id: 'cron', pid: 2, isAlive: () => false }
  const takeOver = () => takeLease(store, other, 1_800_000_000_000)
  await expect(run(meanwhile(takeOver))).rejects.toMatchObject(told('Another job has taken over'))
  expect(await run()).toMatchObject({ isNew: true, version: { n: 1, resource: 'key-0' } })
  expect(taker.taken).toHaveLength(1)
})
