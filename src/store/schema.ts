import type { Insertable, Selectable } from 'kysely'

/** The tables as they stand after the last migration. Instants are epoch milliseconds. */
export interface Tables {
  meta: { name: string; value: string }
  keys: KeyFactsTable
  versions: VersionsTable
  suspensions: SuspensionsTable
  journal: JournalTable
  orphans: OrphansTable
  orphans_left: Omit<OrphansTable, 'at' | 'deleted_at'>
  rotations: RotationsTable
  revoked_digests: { digest: string; at: number }
  leases: LeasesTable
  audit: AuditTable
  processes: ProcessesTable
  proofs: ProofsTable
}

/** What is fixed for ever about a key: config that says otherwise is refused. */
interface KeyFactsTable {
  name: string
  vault: string
  alg: string
  purpose: string
  profile: string | null
  registry: string | null
  created_at: number
}

interface VersionsTable {
  key: string
  n: number
  state: string
  source: string
  custody: string
  vault: string
  resource: string
  alg: string
  spki: Uint8Array | null
  known_answer: Uint8Array | null
  kid: string
  generation: string | null
  created_at: number
  made_by: string
  published_at: number | null
  activated_at: number | null
  retiring_at: number | null
  ended_at: number | null
  withdrawn_at: number | null
  disabled_at: number | null
}
export type VersionRow = Selectable<VersionsTable>
export type NewVersionRow = Insertable<VersionsTable>

interface SuspensionsTable {
  kind: string
  name: string
  reason: string
  at: number
}

/** A durable intent before every external call that is not idempotent. */
interface JournalTable {
  id: string
  step: string
  key: string
  n: number
  state: 'open' | 'done'
  resource: string | null
  at: number
  failure: string | null
}

/** What somebody asked for; it stands until another version signs. */
interface RotationsTable {
  key: string
  replaces: number
  is_emergency: 0 | 1
  asked_at: number
}

/** A key in a vault that is no version; `intent` is the tag that it bears there. */
interface OrphansTable {
  key: string
  n: number
  vault: string
  intent: string
  resource: string
  at: number
  deleted_at: number | null
}

interface LeasesTable {
  name: string
  holder: string
  pid: number
  /** Grows with every holder; a write under a lease compares it. */
  fence: number
  expires_at: number
}

interface AuditTable {
  writer: string
  seq: number
  body: string
  hash: Uint8Array
}

/** A process that serves. `id` is that of its audit writer. */
interface ProcessesTable {
  id: string
  host: string
  pid: number
  beat_at: number
}

interface ProofsTable {
  process: string
  key: string
  n: number
  code: string
  at: number
}
