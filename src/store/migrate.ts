import { DatabaseSync } from 'node:sqlite'
import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { ServiceError } from '../errors.ts'
import { storeCall } from './sqlite.ts'

/** Long enough for the slowest migration of another process. */
const lockTimeoutMs = 30_000

/** A static map: nothing is looked up on disk, and the order is that of the names. */
export type Migrations = Readonly<Record<string, Migration>>

/**
 * Brings the schema up to date. Kysely's migrator takes no lock across processes, so the whole run
 * holds one on a database of its own beside the store.
 *
 * @throws {ServiceError} `store_mismatch` for a schema newer than this program.
 */
export async function migrate<Tables>(
  database: Kysely<Tables>,
  file: string,
  migrations: Migrations,
): Promise<void> {
  if (await isCurrent(database, migrations)) return
  const lock = storeCall(() => new DatabaseSync(`${file}-migrate`, { timeout: lockTimeoutMs }))
  try {
    storeCall(() => lock.exec('begin immediate'))
    await run(database, migrations)
  } finally {
    lock.close()
  }
}

async function run<Tables>(database: Kysely<Tables>, migrations: Migrations): Promise<void> {
  const provider = { getMigrations: () => Promise.resolve({ ...migrations }) }
  const { error } = await new Migrator({ db: database, provider }).migrateToLatest()
  if (error === undefined) return
  throw error instanceof Error ? error : new Error('migration failed', { cause: error })
}

async function isCurrent<Tables>(
  database: Kysely<Tables>,
  migrations: Migrations,
): Promise<boolean> {
  const applied = await appliedNames(database)
  const unknown = applied.find((name) => !Object.hasOwn(migrations, name))
  if (unknown !== undefined) {
    const message = `The store's schema is newer than this program (${unknown}): use the newer program`
    throw new ServiceError('store_mismatch', message)
  }
  return applied.length === Object.keys(migrations).length
}

async function appliedNames<Tables>(database: Kysely<Tables>): Promise<readonly string[]> {
  const tables = await database.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === 'kysely_migration')) return []
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(database)
  return rows.map(({ name }) => name)
}
