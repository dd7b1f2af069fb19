import { writeFileSync } from 'node:fs'
import { sql } from 'kysely'
import { z } from 'zod'
import { systemClock } from '../../src/lib/clock.ts'
import { openStore, type WriteTransaction } from '../../src/store/store.ts'
import { changeState, findVersion } from '../../src/store/versions.ts'
import { versionName } from '../../src/keys/version.ts'

/**
 * The other process of the race: revokes one version after the other, each in a transaction of its
 * own that also makes the next version of its key active, and notes how far the writer of intents
 * had come in that very transaction. Writes these notes to a file.
 */
const [file = '', intentWriter = '', keyCount, versionsEach, notesFile = ''] = process.argv.slice(2)
const count = z.coerce.number()

type Note = { readonly version: string; readonly lastSeq: number }

await using store = await openStore(file, {
  writer: '0'.repeat(26),
  program: 'revoke',
  environment: 'test',
})
await sql`pragma busy_timeout = 1`.execute(store.connection) // so that both come to their turn
const notes: Note[] = []
for (let n = 1; n <= count.parse(versionsEach); n += 1) {
  for (let i = 0; i < count.parse(keyCount); i += 1) notes.push(await revoke(`key-${i}`, n))
}
writeFileSync(notesFile, JSON.stringify(notes))

/** Until it is done: the other process may hold the lock for longer than a command waits. */
async function revoke(key: string, n: number): Promise<Note> {
  for (;;) {
    try {
      return await store.writeTransaction((transaction) => revokeIn(transaction, key, n))
    } catch (error) {
      if (!String(error).includes('write lock')) throw error
    }
  }
}

async function revokeIn(transaction: WriteTransaction, key: string, n: number): Promise<Note> {
  const { connection } = transaction
  const at = systemClock.now()
  const version = await findVersion(connection, key, n)
  if (!version) throw new Error(`there is no ${key}@${n}`)
  await changeState(connection, version, 'revoked', at)
  const next = await findVersion(connection, key, n + 1)
  if (next) await changeState(connection, next, 'active', at)
  const subject = versionName(key, n)
  transaction.record({
    type: 'command',
    command: 'revoke',
    at,
    actor: 'a test',
    subject,
    reason: 'a race',
    before: 'active',
    after: 'revoked',
  })
  const row = await connection
    .selectFrom('audit')
    .select(({ fn }) => fn.max('seq').as('seq'))
    .where('writer', '=', intentWriter)
    .executeTakeFirst()
  return { version: subject, lastSeq: row?.seq ?? 0 }
}
