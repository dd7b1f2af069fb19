import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { z } from 'zod'
import { outsideSteps } from '../keys/step.ts'
import { livesForMs } from './proofs.ts'

const openRow = z.object({ step: z.enum(outsideSteps), count: z.int(), oldest_at: z.int() })
const ofKeyRow = z.object({ key: z.string(), count: z.int() })
const processesRow = z.object({ count: z.int() })

/** What is begun and not done, as the store knows it without asking anybody. */
export type Backlog = {
  /** Journal entries whose end is not known, by step. */
  readonly open: readonly {
    readonly step: string
    readonly count: number
    readonly oldestAt: number
  }[]
  /** By key: versions that may become active, times live processes that have not proved them. */
  readonly unproved: readonly { readonly key: string; readonly count: number }[]
  /** By key: keys that a vault has, that are no version, and that nobody has said to have deleted. */
  readonly orphans: readonly { readonly key: string; readonly count: number }[]
  /** Processes with a heartbeat younger than 30 s. */
  readonly processes: number
}

/** Reads it on the connection of the audit worker, which has the only one of `serve`. */
export class BacklogReader {
  readonly #open: StatementSync
  readonly #unproved: StatementSync
  readonly #orphans: StatementSync
  readonly #processes: StatementSync

  constructor(database: DatabaseSync) {
    this.#open = database.prepare(
      `select step, count(*) as count, min(at) as oldest_at from journal
        where state = 'open' group by step order by step`,
    )
    this.#unproved = database.prepare(
      `select versions.key as key, count(*) as count
        from versions join processes
        left join proofs on proofs.process = processes.id
          and proofs.key = versions.key and proofs.n = versions.n
        where versions.state in ('created', 'published') and processes.beat_at > ?
          and coalesce(proofs.code, '') <> 'ok'
        group by versions.key order by versions.key`,
    )
    this.#orphans = database.prepare(
      'select key, count(*) as count from orphans_left group by key order by key',
    )
    this.#processes = database.prepare('select count(*) as count from processes where beat_at > ?')
  }

  read(now: number): Backlog {
    const since = now - livesForMs
    const open = z.array(openRow).parse(this.#open.all())
    return {
      open: open.map(({ step, count, oldest_at: oldestAt }) => ({ step, count, oldestAt })),
      unproved: z.array(ofKeyRow).parse(this.#unproved.all(since)),
      orphans: z.array(ofKeyRow).parse(this.#orphans.all()),
      processes: processesRow.parse(this.#processes.get(since)).count,
    }
  }
}
