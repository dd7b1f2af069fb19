import type { Connection, WriteTransaction } from './store.ts'

export type App = {
  readonly id: string
  readonly organization: string
  readonly name: string
  readonly createdAt: number
}

export type ListedApp = App & { readonly keys: number }

export async function findApp(connection: Connection, id: string): Promise<App | undefined> {
  const row = await connection
    .selectFrom('apps')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  return row && { id: row.id, ...facts(row) }
}

export async function isAppNamed(
  connection: Connection,
  organization: string,
  name: string,
): Promise<boolean> {
  const row = await connection
    .selectFrom('apps')
    .select('id')
    .where('organization', '=', organization)
    .where('name', '=', name)
    .executeTakeFirst()
  return row !== undefined
}

/** All, or those of one organization, with the number of their keys. */
export async function listApps(
  connection: Connection,
  organization: string | undefined,
): Promise<readonly ListedApp[]> {
  const rows = await connection
    .selectFrom('apps')
    .selectAll('apps')
    .select((app) =>
      app
        .selectFrom('keys')
        .whereRef('keys.app', '=', 'apps.id')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .as('keys'),
    )
    .where((row) =>
      organization === undefined ? row.lit(true) : row('organization', '=', organization),
    )
    .orderBy('organization')
    .orderBy('id')
    .execute()
  return rows.map((row) => ({ id: row.id, ...facts(row), keys: row.keys ?? 0 }))
}

export async function insertApp(transaction: WriteTransaction, app: App): Promise<void> {
  const { createdAt: created_at, ...row } = app
  await transaction
    .insertInto('apps')
    .values({ ...row, created_at })
    .execute()
}

function facts(row: { organization: string; name: string; created_at: number }) {
  return { organization: row.organization, name: row.name, createdAt: row.created_at }
}

/** @throws {ServiceError} `store_unavailable`. */
export async function checkReadable(connection: Connection): Promise<void> {
  await connection.selectFrom('apps').select('id').limit(1).execute()
}
