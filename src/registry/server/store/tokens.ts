import { z } from 'zod'
import { roles, type Token } from '../token.ts'
import type { Connection, WriteTransaction } from './store.ts'

const tokenRow = z.strictObject({
  id: z.string(),
  organization: z.string(),
  role: z.enum(roles),
  sha256: z.instanceof(Uint8Array),
  created_at: z.int(),
  revoked_at: z.int().nullable(),
})

export async function findToken(connection: Connection, id: string): Promise<Token | undefined> {
  const row = await connection
    .selectFrom('tokens')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  return row && tokenOf(row)
}

/** All, or those of one organization; revoked ones, too. */
export async function listTokens(
  connection: Connection,
  organization: string | undefined,
): Promise<readonly Token[]> {
  const rows = await connection
    .selectFrom('tokens')
    .selectAll()
    .where((row) =>
      organization === undefined ? row.lit(true) : row('organization', '=', organization),
    )
    .orderBy('organization')
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  return rows.map(tokenOf)
}

export async function insertToken(
  transaction: WriteTransaction,
  { createdAt: created_at, revokedAt, ...row }: Token,
): Promise<void> {
  await transaction
    .insertInto('tokens')
    .values({ ...row, created_at, revoked_at: revokedAt ?? null })
    .execute()
}

export async function markRevoked(
  transaction: WriteTransaction,
  id: string,
  now: number,
): Promise<void> {
  await transaction
    .updateTable('tokens')
    .set({ revoked_at: now })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .execute()
}

function tokenOf(row: unknown): Token {
  const { created_at: createdAt, revoked_at, ...token } = tokenRow.parse(row)
  return { ...token, createdAt, revokedAt: revoked_at ?? undefined }
}
