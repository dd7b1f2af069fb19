import type { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import type { IntentEntry, SigningSubject } from '../../src/audit/log.ts'
import { versionStates } from '../../src/keys/lifecycle.ts'
import { everything, type SuspensionSubject } from '../../src/keys/suspension.ts'
import type { Store } from '../../src/store/store.ts'
import { deleteSuspension, insertSuspension } from '../../src/store/suspensions.ts'
import { changeState, findVersion } from '../../src/store/versions.ts'
import { denial, intent, outcome, stored } from '../support/audit-records.ts'
import {
  addVersions,
  auditOfThisTest,
  linksIn,
  rawOfThisTest,
  storeFile,
  storeOfThisTest,
  verified,
  versionOf,
} from '../support/store-file.ts'
import { storeProcesses } from '../support/store-processes.ts'

/** A store as `serve` and the command line share it, with these versions. */
async function houseWith(...versions: Parameters<typeof versionOf>[]) {
  const file = await storeFile()
  const store = await storeOfThisTest(file)
  await addVersions(store, ...versions.map((version) => versionOf(...version)))
  return { file, store, ...auditOfThisTest(file) }
}

function ask(request: string, key = 'blog', version = 1, caller = 'web'): IntentEntry {
  const body = JSON.stringify(intent(request, { key, version, caller }))
  return { caller, key, version, body }
}

const intents = (...asked: readonly IntentEntry[]) => ({ intents: asked, notes: [], checks: [] })
const checks = (...asked: readonly SigningSubject[]) => ({ intents: [], notes: [], checks: asked })

async function revoke(store: Store, key: string, n: number): Promise<void> {
  await store.writeTransaction(async ({ connection }) => {
    const version = await findVersion(connection, key, n)
    if (version) await changeState(connection, version, 'revoked', 9_000)
  })
}

const suspend = (store: Store, subject: SuspensionSubject) =>
  store.writeTransaction(async ({ connection }) =>
    insertSuspension(connection, { ...subject, reason: 'a test', at: 1 }),
  )

const resume = (store: Store, subject: SuspensionSubject) =>
  store.writeTransaction(async ({ connection }) => deleteSuspension(connection, subject))

/** `writer 1`, then what was stored after it, in order. */
async function records(store: Store): Promise<readonly string[]> {
  const links = await linksIn(store)
  expect(links.map(({ seq }) => seq)).toEqual(links.map((_, i) => i + 1))
  return stored(links.slice(1).map(({ body }) => body))
}

describe('who may sign', () => {
  test('of a batch with a revoked version in the middle, that one is refused and the others commit', async () => {
    const { store, audit } = await houseWith(['blog', 1], ['docs', 1, { state: 'revoked' }])
    const batch = [ask('01A'), ask('01B', 'docs'), ask('01C'), ask('01D', 'unknown'), ask('01E')]
    const { intents: verdicts } = audit.commit(intents(...batch), 0)
    expect(verdicts).toEqual([
      'may_sign',
      'version_revoked',
      'may_sign',
      'version_not_active',
      'may_sign',
    ])
    expect(await records(store)).toEqual(['intent 01A', 'intent 01C', 'intent 01E'])
  })

  test.each(versionStates.filter((state) => state !== 'active'))(
    'a %s version never signs',
    async (state) => {
      const { store, audit } = await houseWith(['blog', 1, { state }], ['docs', 1])
      const refused = state === 'revoked' ? 'version_revoked' : 'version_not_active'
      expect(audit.commit(intents(ask('01A'), ask('01B', 'docs')), 0).intents).toEqual([
        refused,
        'may_sign',
      ])
      expect(audit.commit(checks({ caller: 'web', key: 'blog', version: 1 }), 0).checks).toEqual([
        refused,
      ])
      expect(await records(store)).toEqual(['intent 01B'])
    },
  )

  test.each([
    ['a suspended key', { kind: 'key', name: 'blog' }, ['suspended', 'suspended', 'may_sign']],
    [
      'a suspended version',
      { kind: 'version', name: 'blog@1' },
      ['suspended', 'suspended', 'may_sign'],
    ],
    ['a suspended caller', { kind: 'caller', name: 'web' }, ['suspended', 'may_sign', 'suspended']],
    ['everything suspended', everything, ['suspended', 'suspended', 'suspended']],
    [
      'a suspended key of another name',
      { kind: 'key', name: 'blog2' },
      ['may_sign', 'may_sign', 'may_sign'],
    ],
    [
      'a suspended version to come',
      { kind: 'version', name: 'blog@2' },
      ['may_sign', 'may_sign', 'may_sign'],
    ],
    [
      'a suspended caller called like a key',
      { kind: 'caller', name: 'blog' },
      ['may_sign', 'may_sign', 'may_sign'],
    ],
  ] as const)(
    '%s: nothing else is stopped, and all goes on after',
    async (_, subject, expected) => {
      const { store, audit } = await houseWith(['blog', 1], ['docs', 1])
      const batch = intents(ask('01A'), ask('01B', 'blog', 1, 'app'), ask('01C', 'docs'))
      await suspend(store, subject)
      expect(audit.commit(batch, 0).intents).toEqual(expected)
      await resume(store, subject)
      expect(audit.commit(batch, 0).intents).toEqual(['may_sign', 'may_sign', 'may_sign'])
    },
  )

  test('a revoked version that is also suspended is answered as revoked', async () => {
    const { store, audit } = await houseWith(['blog', 1, { state: 'revoked' }])
    await suspend(store, everything)
    expect(audit.commit(intents(ask('01A')), 0).intents).toEqual(['version_revoked'])
  })

  test('a commit by another connection just before counts, for intents and checks alike', async () => {
    const { store, audit } = await houseWith(['blog', 1], ['docs', 1])
    const both = { ...intents(ask('01A'), ask('01B', 'docs')), checks: [ask('01C')] }
    expect(audit.commit(both, 0)).toEqual({
      intents: ['may_sign', 'may_sign'],
      checks: ['may_sign'],
    })
    audit.snapshot(undefined)
    await revoke(store, 'blog', 1)
    expect(audit.commit(both, 0)).toEqual({
      intents: ['version_revoked', 'may_sign'],
      checks: ['version_revoked'],
    })
  })

  test('what another connection has not committed does not count, nor what it rolls back', async () => {
    const { file, database, audit } = await houseWith(['blog', 1])
    database.exec('pragma busy_timeout = 0')
    audit.commit(intents(ask('01A')), 0)
    const other = rawOfThisTest(file)
    other.exec(`begin immediate; update versions set state = 'revoked'`)
    expect(audit.snapshot(undefined)?.versions).toMatchObject([{ state: 'active' }])
    expect(() => audit.commit(intents(ask('01B')), 0)).toThrow(
      'another process holds its write lock',
    )
    other.exec('rollback')
    expect(audit.commit(intents(ask('01C')), 0).intents).toEqual(['may_sign'])
  })
})

describe('a batch that cannot be stored', () => {
  const failures = [
    {
      name: 'a full disk',
      fail: (_file: string, database: DatabaseSync) => {
        database.exec('pragma max_page_count = 1')
        return () => database.exec('pragma max_page_count = 100000')
      },
    },
    {
      name: 'a lock of another process',
      fail: (file: string, database: DatabaseSync) => {
        database.exec('pragma busy_timeout = 0')
        const other = rawOfThisTest(file)
        other.exec('begin immediate')
        return () => other.exec('rollback')
      },
    },
  ]

  test.each(failures)(
    'because of $name leaves no trace, and the chain goes on',
    async ({ fail }) => {
      const { file, store, database, audit } = await houseWith(['blog', 1])
      const large = JSON.stringify(denial('01Z', { rule: 'x'.repeat(20_000) }))
      for (const request of ['01A', '01B']) {
        const mend = fail(file, database)
        const batch = { intents: [ask(request)], notes: [large, large], checks: [ask(request)] }
        const unavailable = expect.objectContaining({ code: 'store_unavailable' })
        for (const _ of [1, 2]) expect(() => audit.commit(batch, 0)).toThrow(unavailable)
        expect(database.isTransaction).toBe(false)
        mend()
        expect(audit.commit(batch, 0)).toEqual({ intents: ['may_sign'], checks: ['may_sign'] })
      }
      const one = (request: string) => [`intent ${request}`, 'denial 01Z', 'denial 01Z']
      expect(await records(store)).toEqual([...one('01A'), ...one('01B')])
      expect((await verified(store)).verdict).toBe('whole')
    },
  )

  test('forgets what it read of the state no less than what it wrote', async () => {
    const { file, store, database, audit } = await houseWith(['blog', 1])
    database.exec('pragma max_page_count = 1')
    const notes = [JSON.stringify(denial('01Z', { rule: 'x'.repeat(20_000) }))]
    expect(() => audit.commit({ intents: [ask('01A')], notes, checks: [] }, 0)).toThrow('full')
    database.exec('pragma max_page_count = 100000')
    rawOfThisTest(file).exec(`update versions set state = 'revoked'`)
    expect(audit.commit(intents(ask('01B')), 0).intents).toEqual(['version_revoked'])
    expect(await records(store)).toEqual([])
  })
})

describe('what is stored', () => {
  test('stands in the order of its batch: intents, then notes', async () => {
    const { store, audit } = await houseWith(['blog', 1])
    const notes = [JSON.stringify(outcome('01A')), JSON.stringify(denial('01D'))]
    audit.commit({ intents: [ask('01B'), ask('01C')], notes, checks: [] }, 5)
    audit.commit(intents(ask('01E')), 6)
    const expected = ['intent 01B', 'intent 01C', 'outcome 01A', 'denial 01D', 'intent 01E']
    expect(await records(store)).toEqual(expected)
  })

  test('is nothing for a batch that is refused, checks only, or empty', async () => {
    const { store, audit } = await houseWith(['blog', 1, { state: 'retired' }])
    audit.commit(intents(ask('01A')), 0)
    audit.commit(checks(ask('01B')), 0)
    audit.commit(intents(), 0)
    expect(await store.connection.selectFrom('audit').selectAll().execute()).toEqual([])
  })

  test('is byte for byte what was given', async () => {
    const { store, audit } = await houseWith(['blog', 1])
    const bodies = ['{"a": 1}', '{"a":1}', '"\u00e9"', '"e\u0301"', '"𝄞\\ud800\\u0000"', ' {} ']
    audit.commit({ intents: [], notes: bodies, checks: [] }, 0)
    const links = await linksIn(store)
    expect(links.slice(1).map(({ body }) => body)).toEqual(bodies)
  })
})

describe('the snapshot', () => {
  test('is there once for each change by another connection, and not for what this one writes', async () => {
    const { store, audit } = await houseWith(
      ['docs', 1],
      ['blog', 1],
      ['blog', 2, { state: 'created' }],
    )
    const first = audit.snapshot(undefined)
    expect(first?.versions.map(({ key, n }) => `${key}@${n}`)).toEqual([
      'blog@1',
      'blog@2',
      'docs@1',
    ])
    expect(audit.snapshot(first?.revision)).toBeUndefined()
    audit.commit(intents(ask('01A')), 0)
    expect(audit.snapshot(first?.revision)).toBeUndefined()

    await revoke(store, 'blog', 1)
    const second = audit.snapshot(first?.revision)
    expect(second?.versions[0]).toMatchObject({ key: 'blog', n: 1, state: 'revoked' })
    expect(audit.snapshot(second?.revision)).toBeUndefined()
    expect(audit.snapshot(undefined)).toEqual(second)
  })

  test('is not missed when a batch has seen the change first', async () => {
    const { store, audit } = await houseWith(['blog', 1])
    const first = audit.snapshot(undefined)
    await revoke(store, 'blog', 1)
    audit.commit(intents(ask('01A')), 0)
    expect(audit.snapshot(first?.revision)?.versions).toMatchObject([{ state: 'revoked' }])
  })

  test('needs no lock: another process may hold it', async () => {
    const { file, audit } = await houseWith(['blog', 1])
    rawOfThisTest(file).exec('begin immediate')
    expect(audit.snapshot(undefined)?.versions).toHaveLength(1)
  })
})

const batchesEach = 300

test('three services that sign as fast as they can wait for each other, and none is refused for that', async () => {
  const { file, store } = await houseWith(['blog', 1])
  const processes = await storeProcesses(3)
  const signing = processes.map(({ tell }) => tell({ do: 'sign', file, batches: batchesEach }))
  expect(await Promise.all(signing)).toEqual([batchesEach, batchesEach, batchesEach])
  const report = await verified(store)
  expect(report).toMatchObject({ verdict: 'whole', writers: 3, intents: 3 * batchesEach })
})
