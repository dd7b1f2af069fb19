import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { AuditBatch, AuditBatchResult } from '../audit/log.ts'
import type { CommandRecord } from '../audit/records.ts'
import type { SuspensionKind } from '../keys/suspension.ts'
import type { KeyVersion } from '../keys/version.ts'
import { type Backlog, BacklogReader } from './backlog.ts'
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

/** A version, `key@n`, and why it may not sign. */
export type VersionSuspension = { readonly name: string; readonly reason: string }

/** One moment by both clocks, in milliseconds. */
export type Instants = { readonly now: number; readonly monotonicMs: number }

/**
 * The store as `serve` uses it, synchronous and on one connection: it lives in the audit worker, so
 * that neither a commit nor another process's lock ever stalls the event loop.
 */
export class AuditStore {
  readonly #database: DatabaseSync
  readonly #program: string
  readonly #chain: ChainWriter
  readonly #state: SigningState
  readonly #versions: StatementSync
  readonly #heartbeats: Heartbeats
  readonly #suspend: StatementSync
  readonly #backlog: BacklogReader

  constructor(database: DatabaseSync, identity: WriterIdentity) {
    this.#database = database
    this.#program = identity.program
    this.#chain = new ChainWriter(database, identity)
    this.#state = new SigningState(database)
    this.#versions = database.prepare('select * from versions order by key, n')
    this.#heartbeats = new Heartbeats(database, identity.writer)
    this.#suspend = database.prepare(
      'insert into suspensions (kind, name, reason, at) values (?, ?, ?, ?) on conflict do nothing',
    )
    this.#backlog = new BacklogReader(database)
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

  /**
   * Suspends a version, with the record of it, in one transaction: in force for the next intent.
   *
   * @returns whether it was not suspended before; only then is there a record.
   * @throws {ServiceError} `store_unavailable`.
   */
  suspendVersion({ name, reason }: VersionSuspension, at: number): boolean {
    const mark = this.#chain.mark()
    try {
      return storeCall(() =>
        this.#transaction('immediate', () => this.#storeSuspension(name, reason, at)),
      )
    } catch (error) {
      this.#chain.rewind(mark)
      throw error
    } finally {
      this.#state.forget()
    }
  }

  #storeSuspension(name: string, reason: string, at: number): boolean {
    const kind = 'version' satisfies SuspensionKind
    if (this.#suspend.run(kind, name, reason, at).changes === 0) return false
    const record: CommandRecord = {
      type: 'command',
      command: 'suspend',
      at,
      actor: this.#program,
      subject: `${kind} ${name}`,
      reason,
      before: undefined,
      after: 'suspended',
    }
    this.#chain.append([JSON.stringify(record)], at)
    return true
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

  /** What is begun and not done. @throws {ServiceError} `store_unavailable`. */
  backlog(now: number): Backlog {
    return storeCall(() => this.#transaction('deferred', () => this.#backlog.read(now)))
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
