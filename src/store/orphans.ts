import type { VersionName } from '../keys/version.ts'
import type { Connection, WriteTransaction } from './store.ts'

/** A key in a vault that is no version: `n` was reserved for it, `intent` is the tag that it bears there. */
export type Orphan = VersionName & {
  readonly vault: string
  readonly intent: string
  readonly resource: string
}

export async function insertOrphan(
  { connection }: WriteTransaction,
  { key, n, vault, intent, resource }: Orphan,
  now: number,
): Promise<void> {
  const row = { key, n, vault, intent, resource, at: now, deleted_at: null }
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
    .selectFrom('orphans_left')
    .select(['key', 'n', 'vault', 'intent', 'resource'])
  const wanted = key === undefined ? left : left.where('key', '=', key)
  return wanted.orderBy('key').orderBy('n').execute()
}

/** Undefined for one that was never there, that is deleted, or that is a version by now. */
export async function findOrphan(
  connection: Connection,
  { key, n }: VersionName,
): Promise<Orphan | undefined> {
  return (await listOrphans(connection, key)).find((orphan) => orphan.n === n)
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
