import type { Connection, WriteTransaction } from './store.ts'

/** Whether a public key may never sign, whatever version it turns up as. */
export async function isRevokedDigest(connection: Connection, digest: string): Promise<boolean> {
  const row = await connection
    .selectFrom('revoked_digests')
    .select('digest')
    .where('digest', '=', digest)
    .executeTakeFirst()
  return row !== undefined
}

/** For ever: a catalogue that no longer names a digest does not take it back. */
export async function insertRevokedDigest(
  { connection }: WriteTransaction,
  digest: string,
  now: number,
): Promise<void> {
  await connection
    .insertInto('revoked_digests')
    .values({ digest, at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}
