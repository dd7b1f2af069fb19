import type { KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { knownAnswerOf } from '../../src/keys/known-answer.ts'
import type { Key } from '../../src/keys/key.ts'
import type { KeyVersion } from '../../src/keys/version.ts'
import { importKey } from '../../src/rotation/import.ts'
import type { ImportWish } from '../../src/rotation/import-run.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import { openEntries } from '../../src/store/journal.ts'
import { takeLease } from '../../src/store/lease.ts'
import { listOrphans } from '../../src/store/orphans.ts'
import type { Store } from '../../src/store/store.ts'
import { changeState, listVersionsOf } from '../../src/store/versions.ts'
import { keyOf, profileSettings } from '../support/grant.ts'
import type { Point } from '../support/key-maker.ts'
import { keyTaker, type KeyTaker } from '../support/key-taker.ts'
import { memoryKey, memoryKeyPair } from '../support/memory-key.ts'
import { diesAt, watchedStore } from '../support/rotation-job.ts'
import { linksIn, storeFile, storeOfThisTest, verified } from '../support/store-file.ts'
import { ulidSource } from '../../src/lib/ulid.ts'
import { watchedClock } from '../support/watched-clock.ts'

const newId = ulidSource()
const holder = { id: 'import', pid: 1, isAlive: () => false }
const bot = keyOf('bot', { profile: profileSettings['generic-jwt'], source: 'imported' })
const manual = keyOf('github', {
  ...bot,
  name: keyOf('github').name,
  registry: { kind: 'manual', system: 'github', url: 'https://github.com' },
})
const face = keyOf('face', {
  algorithm: algorithm('HS256'),
  profile: profileSettings['api-key-token'],
  source: 'imported',
})

const pairWish = (which: 'one' | 'other' = 'one', key: Key = bot): ImportWish => {
  const { secret: material, publicKey } = memoryKeyPair('ES256', which)
  const identity = { spki: publicKey.spki }
  return { key, material, identity, keyId: undefined, isRegenerated: false, compared: undefined }
}

const secretWish = (which: 'one' | 'other', keyId: string, isRegenerated = false): ImportWish => {
  const material: KeyObject = memoryKey('HS256', which).secret
  const row = algorithm('HS256')
  if (row.kty !== 'oct') throw new Error('HS256 is a MAC')
  const identity = { knownAnswer: knownAnswerOf(material, row) }
  return { key: face, material, identity, keyId, isRegenerated, compared: undefined }
}

const depsOn = (store: Store, { importer, vault }: KeyTaker) => ({
  store,
  vaultOf: () => vault,
  importerOf: () => importer,
  ...watchedClock(),
  newId,
  actor: 'ada@host',
})

async function parts() {
  const store = await storeOfThisTest(await storeFile())
  const taker = keyTaker()
  return { store, taker, run: (wish: ImportWish) => importKey(depsOn(store, taker), wish, holder) }
}

/** As the job lets it. */
const signs = (store: Store, version: KeyVersion) =>
  store.writeTransaction(({ connection }) => changeState(connection, version, 'active', 1))

async function commandsIn(store: Store): Promise<readonly unknown[]> {
  const records = (await linksIn(store)).map(({ body }): unknown => JSON.parse(body))
  return records.filter((one) => typeof one === 'object' && one !== null && 'command' in one)
}

describe('what is imported', () => {
  test('is a version, recorded with who did it, and the journal is closed', async () => {
    const { store, taker, run } = await parts()
    const { version, isNew } = await run(pairWish())
    expect(isNew).toBe(true)
    expect(await listOrphans(store.connection)).toEqual([])
    expect(version).toMatchObject({ key: 'bot', n: 1, state: 'created', source: 'imported' })
    expect(version).toMatchObject({
      custody: 'kms-imported',
      spki: memoryKeyPair('ES256').publicKey.spki,
    })
    expect(await listVersionsOf(store.connection, 'bot')).toEqual([version])
    expect(await openEntries(store.connection, 'bot')).toEqual([])
    expect(taker.taken.map(({ request }) => request.name)).toEqual(['bot@1'])
    expect(await commandsIn(store)).toMatchObject([
      { command: 'import', subject: 'bot@1', actor: 'ada@host', before: 'none', after: 'created' },
    ])
  })

  test('at a manual registry, and compared: that is its publication', async () => {
    const { run, store } = await parts()
    const { version } = await run({ ...pairWish('one', manual), compared: 'github fingerprint' })
    expect(version).toMatchObject({ state: 'published', publishedAt: 1_800_000_000_000 })
    expect(await commandsIn(store)).toMatchObject([
      { after: 'published', reason: 'github fingerprint' },
    ])
  })

  test('at a manual registry, and not compared: created, until it is', async () => {
    const { run } = await parts()
    const { version } = await run(pairWish('one', manual))
    expect(version.state).toBe('created')
    const again = await run({ ...pairWish('one', manual), compared: 'github fingerprint' })
    expect(again).toMatchObject({ isNew: false, version: { n: 1, state: 'published' } })
  })

  test('again: nothing is uploaded, and nothing changes', async () => {
    const { run, taker, store } = await parts()
    const first = await run(pairWish())
    const again = await run(pairWish())
    expect(again).toEqual({ ...first, isNew: false })
    expect(taker.taken).toHaveLength(1)
    expect(await commandsIn(store)).toHaveLength(1)
  })

  test('a secret has the portal’s key id as its kid, and its known answer', async () => {
    const { run } = await parts()
    const wish = secretWish('one', 'portal-1')
    const { version } = await run(wish)
    expect(version).toMatchObject({ kid: 'portal-1', spki: undefined, ...wish.identity })
  })

  test('a regenerated secret: the one before is revoked in the transaction that activates it', async () => {
    const { run, store } = await parts()
    await signs(store, (await run(secretWish('one', 'portal-1'))).version)
    const { version, replaced } = await run(secretWish('other', 'portal-1', true))
    expect(version).toMatchObject({ n: 2, kid: 'portal-1', state: 'active' })
    expect(replaced).toMatchObject({ n: 1 })
    const versions = await listVersionsOf(store.connection, 'face')
    expect(versions.map(({ state }) => state)).toEqual(['revoked', 'active'])
    expect(versions[0]?.endedAt).toBe(versions[1]?.activatedAt)
    const changes = (await commandsIn(store)).slice(1)
    expect(changes).toMatchObject([
      { subject: 'face@2', before: 'none', after: 'created' },
      {
        subject: 'face@1',
        before: 'active',
        after: 'revoked',
        reason: expect.stringContaining('face@2'),
      },
      { subject: 'face@2', before: 'created', after: 'active' },
    ])
  })
})

describe('what is refused', () => {
  test('while another job is at work', async () => {
    const { run, store } = await parts()
    await takeLease(store, { id: 'cron', pid: 2, isAlive: () => true }, 1_800_000_000_000)
    const alive = { ...holder, isAlive: () => true }
    const busy = importKey(depsOn(store, keyTaker()), pairWish(), alive)
    await expect(busy).rejects.toMatchObject({ code: 'refused' })
    expect(await run(pairWish())).toMatchObject({ isNew: true }) // that job’s process is gone
  })

  test('a vault that answers another key than it was given: nothing becomes a version', async () => {
    const { store, taker } = await parts()
    const other = memoryKey('ES256', 'other')
    const vault = {
      open: async () => ({ ...other.signer, custody: 'kms-imported' as const }),
    }
    const importing = importKey(depsOn(store, { ...taker, vault }), pairWish(), holder)
    await expect(importing).rejects.toMatchObject({
      code: 'vault_key_unusable',
      message: expect.stringMatching(/another key than this one.*tag chancery:intent=\w{26}: run/),
    })
    expect(await listVersionsOf(store.connection, 'bot')).toEqual([])
  })

  test('an HMAC that the vault computes with another secret', async () => {
    const { store, taker } = await parts()
    const other = memoryKey('HS256', 'other')
    const vault = {
      open: async () => ({ ...other.signer, custody: 'kms-imported' as const }),
    }
    const importing = importKey(depsOn(store, { ...taker, vault }), secretWish('one', 'k'), holder)
    await expect(importing).rejects.toMatchObject({ code: 'vault_key_unusable' })
    expect(await listVersionsOf(store.connection, 'face')).toEqual([])
  })
})

describe('several keys with the tag of an interrupted import', () => {
  async function interrupted() {
    const store = await storeOfThisTest(await storeFile())
    let isLost = true
    const taker = keyTaker((name) => {
      if (isLost && name === 'after fill') throw new Error('the reply is lost')
    })
    const run = (wish: ImportWish) => importKey(depsOn(store, taker), wish, holder)
    await expect(run(pairWish())).rejects.toThrow('The vault may hold it already')
    isLost = false
    const [first] = taker.taken
    if (!first) throw new Error('it was taken')
    const { signal } = new AbortController()
    const twin = { ...first.request, material: memoryKeyPair('ES256', 'other').secret }
    await taker.importer.import(twin, signal)
    return { store, taker, run, intent: first.request.intentId }
  }

  test('the one that is this key is gone on with, and the other is told', async () => {
    const { store, run, intent } = await interrupted()
    const { version } = await run(pairWish())
    expect(version).toMatchObject({ n: 1, resource: 'key-0' })
    expect(await listOrphans(store.connection)).toEqual([
      { key: 'bot', n: 2, vault: 'local', intent, resource: 'key-1' },
    ])
  })

  test('also where it is not the eldest', async () => {
    const { store, run, intent } = await interrupted()
    const { version } = await run(pairWish('other'))
    expect(version).toMatchObject({ n: 1, resource: 'key-1' })
    expect(await listOrphans(store.connection)).toEqual([
      { key: 'bot', n: 2, vault: 'local', intent, resource: 'key-0' },
    ])
  })

  test('where none is this key all are told, each by a number of its own', async () => {
    const { store, taker } = await interrupted()
    const vault = {
      open: async (...[reference, signal]: Parameters<typeof taker.vault.open>) => {
        if (reference.resource === 'key-2') return taker.vault.open(reference, signal)
        throw new ServiceError('vault_key_unusable', 'It is disabled')
      },
    }
    const { version } = await importKey(depsOn(store, { ...taker, vault }), pairWish(), holder)
    expect(version.resource).toBe('key-2')
    const left = await listOrphans(store.connection)
    expect(left.map(({ n, resource }) => [n, resource])).toEqual([
      [1, 'key-0'],
      [2, 'key-1'],
    ])
    expect(version.n).toBe(3)
  })
})

async function killedAt(n: number, wish: ImportWish) {
  const store = await storeOfThisTest(await storeFile())
  const killer = diesAt(n)
  let point: Point = killer
  const taker = keyTaker((name) => point(name))
  const died = await importKey(depsOn(watchedStore(store, killer), taker), wish, holder).then(
    () => false,
    () => true,
  )
  point = () => {}
  return { store, taker, died, reached: killer.reached }
}

const pointsOf = async (wish: ImportWish) => (await killedAt(Infinity, wish)).reached

describe('killed at any point, and run again', () => {
  test('with the same file: one key in the vault, one version, a whole audit', async () => {
    const points = await pointsOf(pairWish())
    expect(points.length).toBeGreaterThan(20)
    for (const [i, name] of points.entries()) {
      const { store, taker, died } = await killedAt(i + 1, pairWish())
      expect([name, died]).toEqual([name, true])
      const { version } = await importKey(depsOn(store, taker), pairWish(), holder)
      expect([name, version.n, taker.taken.length]).toEqual([name, 1, 1])
      expect(await listOrphans(store.connection)).toEqual([])
      expect(await listVersionsOf(store.connection, 'bot')).toHaveLength(1)
      expect(await openEntries(store.connection, 'bot')).toEqual([])
      expect(await verified(store)).toMatchObject({ verdict: 'whole' })
      expect(await commandsIn(store)).toHaveLength(1)
    }
  })

  test('with another file: the first key is an orphan at most, told by its tag', async () => {
    const points = await pointsOf(pairWish())
    const seen = new Set<number>()
    for (const [i, name] of points.entries()) {
      const { store, taker } = await killedAt(i + 1, pairWish())
      const before = await listVersionsOf(store.connection, 'bot')
      const { version } = await importKey(depsOn(store, taker), pairWish('other'), holder)
      const orphans = await listOrphans(store.connection)
      const versions = await listVersionsOf(store.connection, 'bot')
      const used = new Set(versions.map(({ resource }) => resource))
      const left = taker.taken.filter((_, at) => !used.has(`key-${at}`))
      expect([name, orphans]).toEqual([
        name,
        left.map(({ request }) => ({
          key: 'bot',
          n: 1,
          vault: 'local',
          intent: request.intentId,
          resource: `key-${taker.taken.findIndex((one) => one.request === request)}`,
        })),
      ])
      expect(orphans.length).toBeLessThanOrEqual(1)
      seen.add(orphans.length)
      expect(versions).toHaveLength(before.length + 1)
      expect(version.spki).toEqual(memoryKeyPair('ES256', 'other').publicKey.spki)
      expect(await openEntries(store.connection, 'bot')).toEqual([])
    }
    expect(seen).toEqual(new Set([0, 1]))
  })

  test('of a regenerated secret: the old one signs, or the new one, and never both', async () => {
    const wish = secretWish('other', 'portal-1', true)
    const prepared = async (n: number) => {
      const store = await storeOfThisTest(await storeFile())
      let point: Point = () => {}
      const taker = keyTaker((name) => point(name))
      const first = await importKey(depsOn(store, taker), secretWish('one', 'portal-1'), holder)
      await signs(store, first.version)
      const killer = diesAt(n)
      point = killer
      await importKey(depsOn(watchedStore(store, killer), taker), wish, holder).catch(() => {})
      point = () => {}
      return { store, taker, reached: killer.reached }
    }
    const { reached } = await prepared(Infinity)
    for (const [i, name] of reached.entries()) {
      const { store, taker } = await prepared(i + 1)
      const between = (await listVersionsOf(store.connection, 'face')).map(({ state }) => state)
      expect([['active'], ['revoked', 'active']]).toContainEqual(between)
      await importKey(depsOn(store, taker), wish, holder)
      const after = (await listVersionsOf(store.connection, 'face')).map(({ state }) => state)
      expect([name, after]).toEqual([name, ['revoked', 'active']])
    }
  })
})
