import { describe, expect, test } from 'vitest'
import { Kysely } from 'kysely'
import { NodeSqliteDialect } from '../../src/store/dialect.ts'
import { openEntries } from '../../src/store/journal.ts'
import { migrate } from '../../src/store/migrate.ts'
import { migrations } from '../../src/store/migrations.ts'
import type { Tables } from '../../src/store/schema.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { openStore } from '../../src/store/store.ts'
import { identityOf, rawOfThisTest, storeFile, storeOfThisTest } from '../support/store-file.ts'
import { storeProcesses } from '../support/store-processes.ts'

const processCount = 8
const newStores = 10

/** Every migration there is, in order. */
const all = ['0001-first', '0002-proofs']

describe('a new store', () => {
  test('may be opened by eight processes at once: one makes it, and all succeed', async () => {
    const processes = await storeProcesses(processCount)
    for (let i = 0; i < newStores; i += 1) {
      const file = await storeFile()
      await Promise.all(processes.map(({ tell }) => tell({ do: 'open', file })))
      expect(migrationsIn(file)).toEqual(all)
    }
  })

  test('may be read by somebody else just when it is made: making it waits', async () => {
    const [reader] = await storeProcesses(1)
    const file = await storeFile()
    await reader?.tell({ do: 'read for a while', file })
    await storeOfThisTest(file)
    expect(migrationsIn(file)).toEqual(all)
  })

  test('belongs to the environment that made it, for ever', async () => {
    const file = await storeFile()
    await storeOfThisTest(file)
    const other = openStore(file, { ...identityOf('B'), environment: 'production' })
    await expect(other).rejects.toMatchObject({
      code: 'store_mismatch',
      message:
        'The store belongs to environment "test", the configuration says "production": ' +
        'correct environment or store.sqlite',
    })
    await expect(storeOfThisTest(file, 'C')).resolves.toBeDefined()
  })

  test('is not written to by being opened again', async () => {
    const file = await storeFile()
    await storeOfThisTest(file)
    const dataVersion = rawOfThisTest(file).prepare('pragma data_version')
    const before = dataVersion.get()
    await storeOfThisTest(file, 'B')
    expect(dataVersion.get()).toEqual(before)
  })
})

describe('a store of another program', () => {
  test('that is newer is refused by name, and left as it is', async () => {
    const file = await storeFile()
    await (await openStore(file, identityOf('A')))[Symbol.asyncDispose]()
    const raw = rawOfThisTest(file)
    raw.exec(`insert into kysely_migration (name, timestamp) values ('9999-later', '2030')`)
    await expect(openStore(file, identityOf('B'))).rejects.toMatchObject({
      code: 'store_mismatch',
      message: `The store's schema is newer than this program (9999-later): use the newer program`,
    })
    expect(migrationsIn(file)).toEqual([...all, '9999-later'])
  })

  test('that fails halfway through a migration is rolled back, and goes on when it can', async () => {
    const file = await storeFile()
    const raw = rawOfThisTest(file)
    raw.exec('create table journal (something_else text)') // in the way of the seventh statement
    await expect(openStore(file, identityOf('A'))).rejects.toThrow(/journal.*already exists/)
    const tables = raw.prepare(`select name from sqlite_schema where type = 'table'`).all()
    expect(tables.map(({ name }) => name)).not.toContain('versions')
    raw.exec('drop table journal')
    await storeOfThisTest(file)
    expect(migrationsIn(file)).toEqual(all)
  })
})

test('a store of the first program keeps its journal', async () => {
  const file = await storeFile()
  const raw = rawOfThisTest(file)
  const older = { '0001-first': migrations['0001-first'] ?? { up: async () => {} } }
  const dialect = new NodeSqliteDialect(openSqlite(file))
  await using connection = new Kysely<Tables>({ dialect })
  await migrate(connection, file, older)
  raw.exec(`insert into journal values ('01A', 'generate', 'blog', 1, 'open', null, 7)`)
  const store = await storeOfThisTest(file)
  expect(migrationsIn(file)).toEqual(all)
  expect(await openEntries(store.connection, 'blog')).toMatchObject([{ id: '01A', n: 1, at: 7 }])
})

function migrationsIn(file: string): readonly unknown[] {
  const rows = rawOfThisTest(file).prepare('select name from kysely_migration order by name').all()
  return rows.map(({ name }) => name)
}
