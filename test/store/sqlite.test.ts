import { chmod, copyFile, mkdir, open, stat, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { openSqlite } from '../../src/store/sqlite.ts'
import { openStore } from '../../src/store/store.ts'
import { listVersions } from '../../src/store/versions.ts'
import {
  addVersions,
  auditOfThisTest,
  commandRecord,
  identityOf,
  linksIn,
  recordCommand,
  rawOfThisTest,
  storeFile,
  storeOfThisTest,
  versionOf,
} from '../support/store-file.ts'

const remedies = {
  locked: 'another process holds its write lock: try again, or find the process that hangs',
  readOnly: 'it is read-only: make the file and its directory writable for this user',
  damaged: 'it is damaged: restore a backup',
  full: 'the disk is full: free some space; nothing was lost',
  missing: 'it cannot be opened: check that its directory exists and is writable for this user',
  notSqlite: 'it is not a SQLite database: check the path',
}

function unavailable(remedy: keyof typeof remedies) {
  return {
    code: 'store_unavailable',
    message: `The store cannot be used: ${remedies[remedy]}`,
  }
}

const opened = (file: string) => openStore(file, identityOf('A'))

describe('durability', () => {
  test('every connection has WAL and synchronous=FULL, and refers to keys that exist', async () => {
    const file = await storeFile()
    const store = await storeOfThisTest(file)
    const read = async (name: string) =>
      (await sql.raw(`pragma ${name}`).execute(store.connection)).rows
    expect(await read('journal_mode')).toMatchObject([{ journal_mode: 'wal' }])
    expect(await read('synchronous')).toMatchObject([{ synchronous: 2 }])
    expect(await read('foreign_keys')).toMatchObject([{ foreign_keys: 1 }])
    const { database } = auditOfThisTest(file)
    expect(database.prepare('pragma journal_mode').get()).toMatchObject({ journal_mode: 'wal' })
    expect(database.prepare('pragma synchronous').get()).toMatchObject({ synchronous: 2 })
  })

  test('a database that cannot have both is refused', () => {
    expect(() => openSqlite(':memory:')).toThrow(
      expect.objectContaining({
        code: 'store_unavailable',
        message: 'The store cannot be opened with WAL and synchronous=FULL',
      }),
    )
  })

  test('a store that another tool has taken out of WAL is put back', async () => {
    const file = await storeFile()
    await (await opened(file))[Symbol.asyncDispose]()
    rawOfThisTest(file).exec('pragma journal_mode = delete')
    const { database } = auditOfThisTest(file)
    expect(database.prepare('pragma journal_mode').get()).toMatchObject({ journal_mode: 'wal' })
  })
})

describe('a file that cannot be used', () => {
  test('in a directory that is missing, or is one itself', async () => {
    const file = await storeFile()
    await expect(opened(join(file, 'no', 'chancery.db'))).rejects.toMatchObject(
      unavailable('missing'),
    )
    await mkdir(file)
    await expect(opened(file)).rejects.toMatchObject(unavailable('missing'))
  })

  test('that is something else is not touched', async () => {
    const file = await storeFile()
    const text = 'environment: dev\n'.repeat(100)
    await writeFile(file, text)
    await expect(opened(file)).rejects.toMatchObject(unavailable('notSqlite'))
    expect((await stat(file)).size).toBe(text.length)
  })

  test('that is read-only', async () => {
    const file = await storeFile()
    await (await opened(file))[Symbol.asyncDispose]()
    await chmod(file, 0o444)
    await chmod(dirname(file), 0o755)
    await asNobody(async () => {
      await using store = await opened(file).catch(() => undefined)
      // Where the directory is writable it opens, for reading; nothing is ever written.
      const written = store && recordCommand(store)
      await expect(written ?? opened(file)).rejects.toMatchObject(unavailable('readOnly'))
    })
    await chmod(dirname(file), 0o777)
    await asNobody(async () => {
      await using store = await opened(file)
      const written = recordCommand(store)
      await expect(written).rejects.toMatchObject(unavailable('readOnly'))
      expect(await listVersions(store.connection)).toEqual([])
    })
  })

  test('that is locked for good is given up after a while, and opens when the lock is gone', async () => {
    const file = await storeFile()
    const holder = rawOfThisTest(file)
    holder.exec('begin exclusive')
    await expect(opened(file)).rejects.toMatchObject(unavailable('locked'))
    holder.exec('rollback')
    await expect(storeOfThisTest(file)).resolves.toBeDefined()
  })
})

describe('a damaged file', () => {
  test('whose beginning is damaged does not open', async () => {
    const file = await filledStore()
    await damage(file, 100, 200)
    await expect(opened(file)).rejects.toMatchObject(unavailable('damaged'))
  })

  test('that was cut off does not open', async () => {
    const file = await filledStore()
    await truncate(file, 5_000)
    await expect(opened(file)).rejects.toMatchObject(unavailable('damaged'))
  })

  test('says so to whoever signs, and a backup is as good as before', async () => {
    const file = await filledStore()
    const backup = `${file}-backup`
    await copyFile(file, backup)
    await damageTables(file)
    const { audit } = auditOfThisTest(file)
    expect(() => audit.snapshot(undefined)).toThrow(expect.objectContaining(unavailable('damaged')))
    const batch = { intents: [], notes: ['{}'], checks: [] }
    expect(() => audit.commit(batch, 0)).toThrow(expect.objectContaining(unavailable('damaged')))

    const restored = await storeOfThisTest(backup, 'B')
    expect(await listVersions(restored.connection)).toHaveLength(3)
  })

  test('says so to commands, also to those that only read', async () => {
    const file = await filledStore()
    await damageTables(file)
    const store = await storeOfThisTest(file, 'B')
    await expect(listVersions(store.connection)).rejects.toMatchObject(unavailable('damaged'))
    await expect(linksIn(store)).rejects.toMatchObject(unavailable('damaged'))
    const written = recordCommand(store)
    await expect(written).rejects.toMatchObject(unavailable('damaged'))
  })
})

describe('a full disk', () => {
  test('refuses commands, stores nothing of them, and heals', async () => {
    const file = await storeFile()
    const store = await storeOfThisTest(file)
    await addVersions(store, versionOf('blog'))
    const setPagesMax = (pages: number) =>
      sql.raw(`pragma max_page_count = ${pages}`).execute(store.connection)
    const write = () =>
      store.writeTransaction(async (transaction) => {
        await transaction.connection
          .insertInto('suspensions')
          .values({ kind: 'key', name: 'blog', reason: 'r'.repeat(5_000), at: 1 })
          .execute()
        transaction.record(commandRecord({ reason: 'r'.repeat(5_000) }))
      })
    await setPagesMax(1)
    for (const _ of [1, 2, 3]) await expect(write()).rejects.toMatchObject(unavailable('full'))
    expect(await bodiesIn(file)).toEqual([])
    expect(await listVersions(store.connection)).toHaveLength(1)
    await setPagesMax(10_000)
    await write()
    expect(await bodiesIn(file)).toEqual(['1 writer', '2 command'])
  })

  test('refuses intents, stores nothing of their batch, and heals', async () => {
    const file = await storeFile()
    const store = await storeOfThisTest(file)
    await addVersions(store, versionOf('blog'))
    const { database, audit } = auditOfThisTest(file)
    const body = JSON.stringify({ type: 'intent', request: '01R', at: 0, text: 'x'.repeat(9_000) })
    const intents = [{ caller: 'web', key: 'blog', version: 1, body }]
    const commit = () => audit.commit({ intents, notes: [], checks: [] }, 0)
    commit()
    database.exec('pragma max_page_count = 1')
    for (const _ of [1, 2, 3]) expect(commit).toThrow(expect.objectContaining(unavailable('full')))
    expect(await bodiesIn(file)).toEqual(['1 writer', '2 intent'])
    database.exec('pragma max_page_count = 10000')
    expect(commit().intents).toEqual(['may_sign'])
    expect(await bodiesIn(file)).toEqual(['1 writer', '2 intent', '3 intent'])
  })
})

/** Closed, so that everything is in the one file. */
async function filledStore(): Promise<string> {
  const file = await storeFile()
  const store = await opened(file)
  await addVersions(store, versionOf('blog'), versionOf('docs'), versionOf('bot'))
  await recordCommand(store)
  await store[Symbol.asyncDispose]()
  return file
}

/** The versions and the audit, and nothing else. */
async function damageTables(file: string): Promise<void> {
  const database = new DatabaseSync(file)
  const pages = database
    .prepare(`select rootpage from sqlite_schema where tbl_name in ('versions', 'audit')`)
    .all()
    .filter(({ rootpage }) => Number(rootpage) > 0) // triggers have none
  const bytes = Number(database.prepare('pragma page_size').get()?.['page_size'])
  database.close()
  for (const { rootpage } of pages) await damage(file, (Number(rootpage) - 1) * bytes, bytes)
}

async function damage(file: string, from: number, length: number): Promise<void> {
  await using handle = await open(file, 'r+')
  await handle.write(Buffer.alloc(length, 0x5a), 0, length, from)
}

async function bodiesIn(file: string): Promise<readonly string[]> {
  const rows = rawOfThisTest(file).prepare('select seq, body from audit order by writer, seq').all()
  return rows.map(({ seq, body }) => `${String(seq)} ${JSON.parse(String(body)).type}`)
}

const nobody = 65_534

/** Root may write anywhere. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return work()
  process.seteuid?.(nobody)
  try {
    await work()
  } finally {
    process.seteuid?.(0)
  }
}
