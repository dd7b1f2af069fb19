import { z } from 'zod'
import { algorithmNames } from '../../../signing/algorithms.ts'
import { type AppKey, keyShapes } from '../app-key.ts'
import type { Connection, WriteTransaction } from './store.ts'

const keyRow = z.strictObject({
  kid: z.string(),
  app: z.string(),
  alg: z.enum(algorithmNames),
  shape: z.enum(keyShapes),
  spki: z.instanceof(Uint8Array),
  created_at: z.int(),
  created_by: z.string(),
})

/** Oldest first. */
export async function listKeys(connection: Connection, app: string): Promise<readonly AppKey[]> {
  const rows = await connection
    .selectFrom('keys')
    .selectAll()
    .where('app', '=', app)
    .orderBy('created_at')
    .orderBy('kid')
    .execute()
  return rows.map(keyOf)
}

export async function findKey(
  connection: Connection,
  app: string,
  kid: string,
): Promise<AppKey | undefined> {
  const row = await connection
    .selectFrom('keys')
    .selectAll()
    .where('app', '=', app)
    .where('kid', '=', kid)
    .executeTakeFirst()
  return row && keyOf(row)
}

/** Whether any app of any organization has the key pair. */
export async function isRegistered(connection: Connection, spki: Uint8Array): Promise<boolean> {
  const row = await connection
    .selectFrom('keys')
    .select('kid')
    .where('spki', '=', spki)
    .executeTakeFirst()
  return row !== undefined
}

export async function countKeys(connection: Connection, app: string): Promise<number> {
  const { count } = await connection
    .selectFrom('keys')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('app', '=', app)
    .executeTakeFirstOrThrow()
  return count
}

/** @returns false when the index knows the key pair already. */
export async function insertKey(transaction: WriteTransaction, key: AppKey): Promise<boolean> {
  const { createdAt: created_at, createdBy: created_by, ...row } = key
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('keys')
    .values({ ...row, created_at, created_by })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

/** @returns whether the app had it. */
export async function deleteKey(
  transaction: WriteTransaction,
  app: string,
  kid: string,
): Promise<boolean> {
  const { numDeletedRows } = await transaction
    .deleteFrom('keys')
    .where('app', '=', app)
    .where('kid', '=', kid)
    .executeTakeFirst()
  return numDeletedRows === 1n
}

function keyOf(row: unknown): AppKey {
  const { created_at: createdAt, created_by: createdBy, spki, ...key } = keyRow.parse(row)
  return { ...key, spki: new Uint8Array(spki), createdAt, createdBy }
}
