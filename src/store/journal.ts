import { z } from 'zod'
import { type ErrorCode, errorCodes } from '../errors.ts'
import { type OutsideStep, outsideSteps } from '../keys/step.ts'
import type { Connection, WriteTransaction } from './store.ts'

export type JournalStep = OutsideStep

/** A step that is not idempotent, written down before it is done. `id` is the vault's intent tag. */
export type JournalEntry = {
  readonly id: string
  readonly step: JournalStep
  readonly key: string
  /** Of `generate`, reserved by this entry: numbers are never used again, so there may be gaps. */
  readonly n: number
  readonly at: number
}

/** An entry whose end is not known, and what went wrong with its last try, if that is. */
export type OpenEntry = JournalEntry & { readonly failure: ErrorCode | undefined }

const journalRow = z
  .object({
    id: z.string(),
    step: z.enum(outsideSteps),
    key: z.string(),
    n: z.int(),
    at: z.int(),
    failure: z
      .enum(errorCodes)
      .nullable()
      .transform((code) => code ?? undefined),
  })
  .readonly()

/** The steps whose end is not known: of one key, or of all. */
export async function openEntries(
  connection: Connection,
  key?: string,
): Promise<readonly OpenEntry[]> {
  const open = connection.selectFrom('journal').selectAll().where('state', '=', 'open')
  const wanted = key === undefined ? open : open.where('key', '=', key)
  const rows = await wanted.orderBy('id').execute()
  return rows.map((row) => journalRow.parse(row))
}

/** @returns the id of the entry that is open: an earlier one for the same step is gone on with. */
export async function openEntry(
  { connection }: WriteTransaction,
  entry: JournalEntry,
): Promise<string> {
  const open = await openEntries(connection, entry.key)
  const same = open.find(({ step, n }) => step === entry.step && n === entry.n)
  if (same) return same.id
  await connection
    .insertInto('journal')
    .values({ ...entry, state: 'open', resource: null, failure: null })
    .execute()
  return entry.id
}

export async function closeEntry(
  { connection }: WriteTransaction,
  id: string,
  resource: string | undefined,
): Promise<void> {
  await connection
    .updateTable('journal')
    .set({ state: 'done', resource: resource ?? null, failure: null })
    .where('id', '=', id)
    .execute()
}

/** Says why a try failed; the entry stays open, and the next one goes on with it. */
export async function noteFailure(
  { connection }: WriteTransaction,
  id: string,
  failure: ErrorCode,
): Promise<void> {
  await connection.updateTable('journal').set({ failure }).where('id', '=', id).execute()
}

/** Nothing is left to be known of what a registry was told about a version. */
export async function closeRegistryEntries(
  { connection }: WriteTransaction,
  { key, n }: Pick<JournalEntry, 'key' | 'n'>,
): Promise<void> {
  await connection
    .updateTable('journal')
    .set({ state: 'done', failure: null })
    .where('key', '=', key)
    .where('n', '=', n)
    .where('step', 'in', ['publish', 'withdraw'])
    .execute()
}

/** The next number of a key: past every version, every orphan and every number that was ever reserved. */
export async function nextNumber(connection: Connection, key: string): Promise<number> {
  const tables = ['versions', 'journal', 'orphans'] as const
  const highest = tables.map(async (table) => {
    const row = await connection
      .selectFrom(table)
      .select(({ fn }) => fn.max('n').as('n'))
      .where('key', '=', key)
      .executeTakeFirst()
    return row?.n ?? 0
  })
  return Math.max(...(await Promise.all(highest))) + 1
}
