import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { AuditBatch, AuditBatchResult } from '../audit/log.ts'
import type { KeyVersion } from '../keys/version.ts'
import { ChainWriter, type WriterIdentity } from './chain-writer.ts'
import { type Heartbeat, Heartbeats } from './heartbeats.ts'
import { SigningState } from './signing-state.ts'
import { storeCall } from './sqlite.ts'
import { readVersionRow } from './versions.ts'

/** What `serve` chooses its signing versions from; it never permits anything. */
export type Snapshot = {
  /** Changes with every change of state by another connection. */
  readonly revision: number
  readonly versions: readonly KeyVersion[]
}

/** One moment by both clocks, in milliseconds. */
export type Instants = { readonly now: number; readonly monotonicMs: number }

/**
 * The store as `serve` uses it, synchronous and on one connection: it lives in the audit worker, so
 * that neither a commit nor another process's lock ever stalls the event loop.
 */
export class AuditStore {
  readonly #database: DatabaseSync
  readonly #chain: ChainWriter
  readonly #state: SigningState
  readonly #versions: StatementSync
  readonly #heartbeats: Heartbeats

  constructor(database: DatabaseSync, identity: WriterIdentity) {
    this.#database = database
    this.#chain = new ChainWriter(database, identity)
    this.#state = new SigningState(database)
    this.#versions = database.prepare('select * from versions order by key, n')
    this.#heartbeats = new Heartbeats(database, identity.writer)
  }

  /**
   * One transaction: reads who may sign, stores the intents that may and all notes, commits.
   *
   * @throws {ServiceError} `store_unavailable`; nothing of the batch is then stored.
   */
  commit(batch: AuditBatch, now: number): AuditBatchResult {
    const mark = this.#chain.mark()
    try {
      return storeCall(() => this.#transaction('immediate', () => this.#store(batch, now)))
    } catch (error) {
      this.#chain.rewind(mark)
      throw error
    }
  }

  /** The versions, or undefined when nothing has changed since `revision`. */
  snapshot(revision: number | undefined): Snapshot | undefined {
    return storeCall(() =>
      this.#transaction('deferred', () => {
        const current = this.#state.refresh()
        if (current === revision) return undefined
        return { revision: current, versions: this.#versions.all().map(readVersionRow) }
      }),
    )
  }

  /** Says that this process serves, and what it has proved. @throws {ServiceError} `store_unavailable`. */
  beat(heartbeat: Heartbeat, { now, monotonicMs }: Instants): void {
    const beat = () => this.#heartbeats.beat(heartbeat, now, monotonicMs)
    storeCall(() => this.#transaction('immediate', beat))
  }

  /** Says that it serves no more. @throws {ServiceError} `store_unavailable`. */
  leave(): void {
    storeCall(() => this.#transaction('immediate', () => this.#heartbeats.leave()))
  }

  #store({ intents, notes, checks }: AuditBatch, now: number): AuditBatchResult {
    this.#state.refresh()
    const verdicts = intents.map((intent) => this.#state.verdict(intent))
    const permitted = intents.filter((_, i) => verdicts[i] === 'may_sign').map(({ body }) => body)
    this.#chain.append([...permitted, ...notes], now)
    return { intents: verdicts, checks: checks.map((check) => this.#state.verdict(check)) }
  }

  #transaction<T>(mode: 'immediate' | 'deferred', work: () => T): T {
    this.#database.exec(`begin ${mode}`)
    try {
      const result = work()
      this.#database.exec('commit')
      return result
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('rollback')
      throw error
    }
  }
}
