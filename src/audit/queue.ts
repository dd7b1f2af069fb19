import { ServiceError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { pause } from '../lib/deadline.ts'
import { DenialCounter, denialWindowMs } from './denials.ts'
import type {
  AuditBatchResult,
  AuditLog,
  CommitBatch,
  IntentEntry,
  SigningSubject,
  Verdict,
} from './log.ts'
import type { AuditRecord, Denial, Intent, Outcome } from './records.ts'

/** Enough for a second of the fastest algorithm; beyond it the store is the bottleneck, and we say so. */
const waitingMax = 8_192

/** How long an outcome waits for an intent to go with; a commit of its own would hold up the next one. */
const noteLingerMs = 50

/** In one batch; a longer one would make its first intent wait for its last. */
const batchIntentsMax = 256

/** Something that waits for a batch, with the request's own signal. */
type Waiting<T> = {
  readonly entry: T
  readonly signal: AbortSignal
  readonly resolve: (beganAtMs: number) => void
  readonly reject: (error: unknown) => void
}

/**
 * Group commit without a timer: while one batch is being written, the next one collects. A batch is
 * not all-or-nothing: an intent that may not sign is answered with its reason, the others commit.
 */
export class AuditQueue implements AuditLog {
  readonly #commit: CommitBatch
  readonly #clock: Clock
  readonly #onFailure: (error: unknown) => void
  readonly #pause: (ms: number) => Promise<void>
  readonly #denials = new DenialCounter((denial) => this.#note(denial))
  #intents: Waiting<IntentEntry>[] = []
  #checks: Waiting<SigningSubject>[] = []
  #notes: string[] = []
  #writing: Promise<void> | undefined
  #isLingering = false
  #isReleasing = false

  constructor(
    commit: CommitBatch,
    clock: Clock,
    onFailure: (error: unknown) => void,
    wait: (ms: number) => Promise<void> = pause,
  ) {
    this.#commit = commit
    this.#clock = clock
    this.#onFailure = onFailure
    this.#pause = wait
  }

  commitIntent(intent: Intent, signal: AbortSignal): Promise<number> {
    return this.#wait(this.#intents, { ...subject(intent), body: JSON.stringify(intent) }, signal)
  }

  stillMaySign(intent: Intent, signal: AbortSignal): Promise<number> {
    return this.#wait(this.#checks, subject(intent), signal)
  }

  noteOutcome(outcome: Outcome): void {
    this.#note(outcome)
  }

  noteDenial(denial: Denial): void {
    this.#denials.count(denial)
    if (this.#denials.isHolding && !this.#isReleasing) void this.#releaseLater()
  }

  /** Resolves when everything noted so far is stored, or could not be. */
  async flush(): Promise<void> {
    this.#denials.release(Infinity)
    await this.#writing
    if (this.#notes.length > 0) this.#start()
    await this.#writing
  }

  #wait<T>(line: Waiting<T>[], entry: T, signal: AbortSignal): Promise<number> {
    if (line.length >= waitingMax) return Promise.reject(tooMany())
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    line.push({ entry, signal, resolve, reject })
    this.#start()
    return promise
  }

  /** What does not fit is dropped: an outcome is a courtesy, its intent is the evidence. */
  #note(record: AuditRecord): void {
    if (this.#notes.length >= waitingMax) return
    this.#notes.push(JSON.stringify(record))
    if (!this.#writing) this.#linger()
  }

  #linger(): void {
    if (!this.#isLingering) void this.#writeLater()
  }

  async #writeLater(): Promise<void> {
    this.#isLingering = true
    await this.#pause(noteLingerMs)
    this.#isLingering = false
    if (this.#notes.length > 0) this.#start()
  }

  async #releaseLater(): Promise<void> {
    this.#isReleasing = true
    await this.#pause(denialWindowMs)
    this.#isReleasing = false
    this.#denials.release(Infinity)
  }

  #start(): void {
    this.#writing ??= this.#drain()
  }

  async #drain(): Promise<void> {
    await Promise.resolve() // what this turn of the event loop still brings joins the first batch
    let isWritten: boolean
    try {
      do isWritten = await this.#writeBatch()
      while (this.#intents.length + this.#checks.length > 0)
    } finally {
      this.#writing = undefined // before anything else runs: what comes now must start a new drain
    }
    // After a failure what is left waits for the next intent: alone it would try for ever.
    if (isWritten && this.#notes.length > 0) this.#linger()
  }

  async #writeBatch(): Promise<boolean> {
    const intents = alive(this.#intents.splice(0, batchIntentsMax))
    const checks = alive(this.#checks.splice(0))
    const notes = this.#notes
    this.#notes = []
    const beganAtMs = this.#clock.monotonicMs()
    try {
      const result = await this.#commit({
        intents: entries(intents),
        checks: entries(checks),
        notes,
      })
      answer(intents, result.intents, beganAtMs)
      answer(checks, result.checks, beganAtMs)
      return true
    } catch (cause) {
      this.#onFailure(cause)
      this.#notes = [...notes, ...this.#notes].slice(0, waitingMax)
      for (const { reject } of [...intents, ...checks]) reject(unavailable(cause))
      return false
    }
  }
}

/** A request that has gone away needs no record: nothing of it has left, and nothing will. */
function alive<T>(waiting: readonly Waiting<T>[]): readonly Waiting<T>[] {
  return waiting.filter(({ signal, reject }) => {
    if (signal.aborted) reject(signal.reason)
    return !signal.aborted
  })
}

function entries<T>(waiting: readonly Waiting<T>[]): readonly T[] {
  return waiting.map(({ entry }) => entry)
}

function answer(
  waiting: readonly Waiting<unknown>[],
  verdicts: AuditBatchResult['intents'],
  beganAtMs: number,
): void {
  for (const [i, { resolve, reject }] of waiting.entries()) {
    const verdict = verdicts[i] ?? 'version_not_active'
    if (verdict === 'may_sign') resolve(beganAtMs)
    else reject(new ServiceError(verdict, refusals[verdict]))
  }
}

const refusals: Record<Exclude<Verdict, 'may_sign'>, string> = {
  suspended: 'Signing is suspended',
  version_revoked: 'The key version is revoked',
  version_not_active: 'The key version does not sign',
}

function subject({ caller, key, version }: Intent): SigningSubject {
  return { caller, key, version }
}

function unavailable(cause: unknown): ServiceError {
  return new ServiceError('audit_unavailable', 'The audit record could not be written', {
    cause,
    details: { retryAfterMs: 1_000 },
  })
}

function tooMany(): ServiceError {
  return new ServiceError('overloaded', 'Too many requests are waiting', {
    details: { retryAfterMs: 1_000 },
  })
}
