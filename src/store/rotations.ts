import { z } from 'zod'
import type { Connection, WriteTransaction } from './store.ts'

/** A rotation that somebody asked for before it was due. */
export type AskedRotation = {
  /** The version that signed, or had signed last: asked for until another one signs. */
  readonly replaces: number
  /** Without overlap. */
  readonly isEmergency: boolean
}

const rotationRow = z
  .object({ replaces: z.int().positive(), is_emergency: z.literal([0, 1]) })
  .transform(({ replaces, is_emergency }) => ({ replaces, isEmergency: is_emergency === 1 }))

export async function askedRotation(
  connection: Connection,
  key: string,
): Promise<AskedRotation | undefined> {
  const row = await connection
    .selectFrom('rotations')
    .select(['replaces', 'is_emergency'])
    .where('key', '=', key)
    .executeTakeFirst()
  return row && rotationRow.parse(row)
}

/** The last one counts. */
export async function insertAskedRotation(
  { connection }: WriteTransaction,
  key: string,
  { replaces, isEmergency }: AskedRotation,
  now: number,
): Promise<void> {
  const values = { replaces, is_emergency: isEmergency ? 1 : 0, asked_at: now } as const
  await connection
    .insertInto('rotations')
    .values({ key, ...values })
    .onConflict((conflict) => conflict.column('key').doUpdateSet(values))
    .execute()
}
