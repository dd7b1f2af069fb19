import { z } from 'zod'
import type { Suspension, SuspensionSubject } from '../keys/suspension.ts'
import { suspensionKinds } from '../keys/suspension.ts'
import type { Connection } from './store.ts'

const suspensionRow = z.object({
  kind: z.enum(suspensionKinds),
  name: z.string(),
  reason: z.string(),
  at: z.int(),
})

export async function listSuspensions(connection: Connection): Promise<readonly Suspension[]> {
  const rows = await connection.selectFrom('suspensions').selectAll().orderBy('at').execute()
  return rows.map((row) => suspensionRow.parse(row))
}

/** Asks of anything whether it is suspended, as the store is now. */
export async function readSuspensions(
  connection: Connection,
): Promise<(subject: SuspensionSubject) => boolean> {
  const flags = new Set(
    (await listSuspensions(connection)).map(({ kind, name }) => `${kind} ${name}`),
  )
  return ({ kind, name }) => flags.has(`${kind} ${name}`)
}

/** @returns whether it was not suspended before. */
export async function insertSuspension(
  connection: Connection,
  suspension: Suspension,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await connection
    .insertInto('suspensions')
    .values(suspension)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

/** @returns whether it was suspended before. */
export async function deleteSuspension(
  connection: Connection,
  { kind, name }: SuspensionSubject,
): Promise<boolean> {
  const { numDeletedRows } = await connection
    .deleteFrom('suspensions')
    .where('kind', '=', kind)
    .where('name', '=', name)
    .executeTakeFirst()
  return numDeletedRows === 1n
}
