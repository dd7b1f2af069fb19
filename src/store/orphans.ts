import { sql } from 'kysely'
import type { VersionName } from '../keys/version.ts'
import type { Connection, WriteTransaction } from './store.ts'

/** A key in a vault that is no version: `n` was reserved for it, `intent` is the tag that it bears there. */
export type Orphan = VersionName & { readonly intent: string; readonly resource: string }

export async function insertOrphan(
  { connection }: WriteTransaction,
  { key, n, intent, resource }: Orphan,
  now: number,
): Promise<void> {
  const row = { key, n, intent, resource, at: now, deleted_at: null }
  await connection.insertInto('orphans').values(row).execute()
}

/**
 * Those that nobody has said to have deleted: of one key, or of all. One that has come to be a version
 * since, as Terraform may make it, is none.
 */
export async function listOrphans(
  connection: Connection,
  key?: string,
): Promise<readonly Orphan[]> {
  const left = connection
    .selectFrom('orphans')
    .select(['key', 'n', 'intent', 'resource'])
    .where('deleted_at', 'is', null)
    .where((is) =>
      is.not(
        is.exists(
          is
            .selectFrom('versions')
            .leftJoin('keys', 'keys.name', 'orphans.key')
            .select('versions.n')
            .whereRef('versions.resource', '=', 'orphans.resource')
            // A key that has no version yet has no vault here: any is as good.
            .where(sql<boolean>`coalesce(keys.vault, versions.vault) = versions.vault`),
        ),
      ),
    )
  const wanted = key === undefined ? left : left.where('key', '=', key)
  return wanted.orderBy('key').orderBy('n').execute()
}

/** A human has deleted it in its vault: it is not told any more. */
export async function forgetOrphan(
  { connection }: WriteTransaction,
  { key, n }: VersionName,
  now: number,
): Promise<void> {
  await connection
    .updateTable('orphans')
    .set({ deleted_at: now })
    .where('key', '=', key)
    .where('n', '=', n)
    .execute()
}
