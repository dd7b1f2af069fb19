import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { z } from 'zod'
import type { Proof } from '../keys/proof.ts'
import { livesForMs } from './proofs.ts'

/** One process's word that it serves, and what it could sign with; it replaces its last one. */
export type Heartbeat = {
  readonly host: string
  readonly pid: number
  readonly proofs: readonly Proof[]
}

const processRow = z.object({ id: z.string(), beat_at: z.int() })

/** Another's heartbeat, and since when it has not changed, by this process's monotonic clock. */
type Seen = { readonly beatAt: number; readonly sinceMs: number }

/**
 * Says in the store that this process serves. It also removes those that have stopped saying so,
 * judged by a clock that nobody can set: a step of the wall clock would remove the living and keep
 * the dead.
 */
export class Heartbeats {
  readonly #id: string
  readonly #put: StatementSync
  readonly #forget: StatementSync
  readonly #prove: StatementSync
  readonly #others: StatementSync
  readonly #remove: StatementSync
  #seen: ReadonlyMap<string, Seen> = new Map()

  /** @param id the name of the process's audit writer. */
  constructor(database: DatabaseSync, id: string) {
    this.#id = id
    this.#put = database.prepare(
      `insert into processes (id, host, pid, beat_at) values (?, ?, ?, ?)
        on conflict (id) do update set beat_at = excluded.beat_at`,
    )
    this.#forget = database.prepare('delete from proofs where process = ?')
    this.#prove = database.prepare(
      'insert into proofs (process, key, n, code, at) values (?, ?, ?, ?, ?)',
    )
    this.#others = database.prepare('select id, beat_at from processes where id <> ?')
    this.#remove = database.prepare('delete from processes where id = ?')
  }

  /** Inside a transaction that the caller has begun. */
  beat({ host, pid, proofs }: Heartbeat, now: number, monotonicMs: number): void {
    this.#put.run(this.#id, host, pid, now)
    this.#forget.run(this.#id)
    for (const { key, n, code, at } of proofs) this.#prove.run(this.#id, key, n, code, at)
    this.#removeSilent(monotonicMs)
  }

  /** This process serves no more, and nobody need wait for it. Inside a transaction, too. */
  leave(): void {
    this.#remove.run(this.#id)
  }

  #removeSilent(monotonicMs: number): void {
    const rows = z.array(processRow).parse(this.#others.all(this.#id))
    const seen = rows.map(({ id, beat_at: beatAt }) => {
      const last = this.#seen.get(id)
      return [id, last?.beatAt === beatAt ? last : { beatAt, sinceMs: monotonicMs }] as const
    })
    this.#seen = new Map(seen)
    for (const [id, { sinceMs }] of seen) {
      if (monotonicMs - sinceMs >= livesForMs) this.#remove.run(id)
    }
  }
}
