import { z } from 'zod'
import { proofCode, type ProofCode } from '../keys/proof.ts'
import type { VersionName } from '../keys/version.ts'
import type { Connection } from './store.ts'

/** A process that has said nothing for so long is gone, or cannot reach the store: then it signs nothing. */
export const livesForMs = 30_000

/** A process that serves now, and has not shown that it could sign with a version. */
export type Unproved = {
  readonly key: string
  readonly n: number
  /** The name of its audit writer. */
  readonly process: string
  readonly host: string
  readonly pid: number
  /** Why it could not; undefined as long as it has not tried. */
  readonly code: Exclude<ProofCode, 'ok'> | undefined
}

/**
 * Who stands in the way of a switch to these versions: every process with a heartbeat younger than
 * 30 s that has not proved one of them. Empty when all have, and when no process serves.
 */
export async function unprovedBy(
  connection: Connection,
  versions: readonly VersionName[],
  now: number,
): Promise<readonly Unproved[]> {
  // A heartbeat from the future is that of a clock that was set back: taken for a live one.
  const live = await connection
    .selectFrom('processes')
    .selectAll()
    .where('beat_at', '>', now - livesForMs)
    .orderBy('id')
    .execute()
  const codes = await proofCodes(connection)
  return live.flatMap(({ id, host, pid }) =>
    versions.flatMap(({ key, n }) => {
      const code = codes.get(proofName(id, key, n))
      return code === 'ok' ? [] : [{ key, n, process: id, host, pid, code }]
    }),
  )
}

const proofRow = z.object({ process: z.string(), key: z.string(), n: z.int(), code: proofCode })

async function proofCodes(connection: Connection): Promise<ReadonlyMap<string, ProofCode>> {
  const rows = await connection
    .selectFrom('proofs')
    .select(['process', 'key', 'n', 'code'])
    .execute()
  return new Map(
    rows.map((row) => {
      const { process, key, n, code } = proofRow.parse(row)
      return [proofName(process, key, n), code]
    }),
  )
}

function proofName(process: string, key: string, n: number): string {
  return `${process} ${key}@${n}`
}
