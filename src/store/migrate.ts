import { DatabaseSync } from 'node:sqlite'
import type { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { ServiceError } from '../errors.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './schema.ts'
import { storeCall } from './sqlite.ts'

/** Long enough for the slowest migration of another process. */
const lockTimeoutMs = 30_000

/**
 * Brings the schema up to date. Kysely's migrator takes no lock across processes, so the whole run
 * holds one on a database of its own beside the store.
 *
 * @throws {ServiceError} `store_mismatch` for a schema newer than this program.
 */
export async function migrate(database: Kysely<Tables>, file: string): Promise<void> {
  if (await isCurrent(database)) return
  const lock = storeCall(() => new DatabaseSync(`${file}-migrate`, { timeout: lockTimeoutMs }))
  try {
    storeCall(() => lock.exec('begin immediate'))
    await run(database)
  } finally {
    lock.close()
  }
}

async function run(database: Kysely<Tables>): Promise<void> {
  const provider = { getMigrations: () => Promise.resolve({ ...migrations }) }
  const { error } = await new Migrator({ db: database, provider }).migrateToLatest()
  if (error === undefined) return
  throw error instanceof Error ? error : new Error('migration failed', { cause: error })
}

async function isCurrent(database: Kysely<Tables>): Promise<boolean> {
  const applied = await appliedNames(database)
  const unknown = applied.find((name) => !Object.hasOwn(migrations, name))
  if (unknown !== undefined) {
    const message = `The store's schema is newer than this program (${unknown}): use the newer program`
    throw new ServiceError('store_mismatch', message)
  }
  return applied.length === Object.keys(migrations).length
}

async function appliedNames(database: Kysely<Tables>): Promise<readonly string[]> {
  const tables = await database.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === 'kysely_migration')) return []
  const rows = await database
    .withTables<{ kysely_migration: { name: string } }>()
    .selectFrom('kysely_migration')
    .select('name')
    .execute()
  return rows.map(({ name }) => name)
}
