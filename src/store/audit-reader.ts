import { z } from 'zod'
import type { Link } from '../audit/chain.ts'
import { quotedHeads } from '../audit/verify.ts'
import type { ChainHead } from '../audit/records.ts'
import type { Connection } from './store.ts'

const auditRow = z.object({
  writer: z.string(),
  seq: z.int(),
  body: z.string(),
  hash: z.instanceof(Uint8Array).transform((hash) => new Uint8Array(hash)),
})

/** Every record, writer by writer, in the order of its chain; one at a time in memory. */
export async function* readAudit(connection: Connection): AsyncGenerator<Link> {
  const rows = connection.selectFrom('audit').selectAll().orderBy('writer').orderBy('seq').stream()
  for await (const row of rows) yield auditRow.parse(row)
}

/** All heads that writers quoted when they began. */
export async function readQuotedHeads(connection: Connection): Promise<readonly ChainHead[]> {
  const rows = await connection.selectFrom('audit').select('body').where('seq', '=', 1).execute()
  return rows.flatMap(({ body }) => quotedHeads(body))
}
