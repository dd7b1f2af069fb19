import { describe, expect, test, vi } from 'vitest'
import { openStore } from '../../src/store/store.ts'
import { identityOf, rawOfThisTest, storeFile, storeOfThisTest } from '../support/store-file.ts'
import { storeProcesses } from '../support/store-processes.ts'

/** Real files on a disk that others use too. */
vi.setConfig({ testTimeout: 60_000 })

const processCount = 8
const newStores = 10

describe('a new store', () => {
  test('may be opened by eight processes at once: one makes it, and all succeed', async () => {
    const processes = await storeProcesses(processCount)
    for (let i = 0; i < newStores; i += 1) {
      const file = await storeFile()
      await Promise.all(processes.map(({ tell }) => tell({ do: 'open', file })))
      expect(migrationsIn(file)).toEqual(['0001-first'])
    }
  })

  test('may be read by somebody else just when it is made: making it waits', async () => {
    const [reader] = await storeProcesses(1)
    const file = await storeFile()
    await reader?.tell({ do: 'read for a while', file })
    await storeOfThisTest(file)
    expect(migrationsIn(file)).toEqual(['0001-first'])
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
    raw.exec(`insert into kysely_migration (name, timestamp) values ('0002-later', '2030')`)
    await expect(openStore(file, identityOf('B'))).rejects.toMatchObject({
      code: 'store_mismatch',
      message: `The store's schema is newer than this program (0002-later): use the newer program`,
    })
    expect(migrationsIn(file)).toEqual(['0001-first', '0002-later'])
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
    expect(migrationsIn(file)).toEqual(['0001-first'])
  })
})

function migrationsIn(file: string): readonly unknown[] {
  const rows = rawOfThisTest(file).prepare('select name from kysely_migration order by name').all()
  return rows.map(({ name }) => name)
}
