import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { ChainHead } from '../audit/records.ts'
import { quotedHeads } from '../audit/verify.ts'
import { encodeBytes } from '../lib/bytes.ts'

/** Writers are named by ulids: the last by name are the last by time. */
const recentWritersMax = 64

/** Steps from writer to writer along the primary key, whatever the number of records between. */
const recentHeads = `
  with recursive recent (writer, left) as (
    select max(writer), ${recentWritersMax} from audit
    union all
    select (select max(writer) from audit where writer < recent.writer), left - 1
      from recent where writer is not null and left > 1
  )
  select writer,
    (select max(seq) from audit where audit.writer = recent.writer) as seq,
    (select hash from audit where audit.writer = recent.writer order by seq desc limit 1) as hash,
    (select body from audit where audit.writer = recent.writer and seq = 1) as first
  from recent where writer is not null`

const headOf = 'select writer, seq, hash from audit where writer = ? order by seq desc limit 1'

const headRow = z.object({ writer: z.string(), seq: z.int(), hash: z.instanceof(Uint8Array) })
const recentRow = headRow.extend({ first: z.string().nullable() })

/**
 * The heads that no recent writer has quoted yet: what the next writer's first record quotes. A
 * chain that is quoted cannot be cut or vanish without `audit verify` seeing it.
 */
export function unquotedHeads(database: DatabaseSync): readonly ChainHead[] {
  const recent = z.array(recentRow).parse(database.prepare(recentHeads).all())
  const quotes = recent.flatMap(({ first }) => quotedHeads(first ?? ''))
  // A service that outlives many commands is no longer recent: their quotes keep it in sight.
  const inSight = new Set(recent.map(({ writer }) => writer))
  const outlived = new Set(
    quotes.map(({ writer }) => writer).filter((writer) => !inSight.has(writer)),
  )
  const statement = database.prepare(headOf)
  const older = z.array(headRow).parse([...outlived].flatMap((writer) => statement.all(writer)))
  const quoted = new Set(quotes.map(headName))
  return [...recent, ...older]
    .map(({ writer, seq, hash }) => ({ writer, seq, hash: encodeBytes(hash, 'base64url') }))
    .filter((head) => !quoted.has(headName(head)))
}

function headName({ writer, seq, hash }: ChainHead): string {
  return `${writer} ${seq} ${hash}`
}
