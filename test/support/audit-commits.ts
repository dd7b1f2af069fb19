import { denialWindowMs } from '../../src/audit/denials.ts'
import { AuditQueue } from '../../src/audit/queue.ts'
import { manualClock } from './manual-clock.ts'
import type { AuditBatch, CommitBatch, SigningSubject, Verdict } from '../../src/audit/log.ts'

/** The port that stores batches, in memory. */
export type RememberingCommit = {
  readonly commit: CommitBatch
  /** As they arrived. */
  readonly batches: readonly AuditBatch[]
  /** The bodies that were stored, in the order a store keeps them: intents first, then notes. */
  readonly bodies: readonly string[]
}

/** Stores each batch at once; whoever may not sign gets a verdict and no record. */
export function rememberingCommit(
  verdictOf: (subject: SigningSubject) => Verdict = () => 'may_sign',
): RememberingCommit {
  const batches: AuditBatch[] = []
  const bodies: string[] = []
  return {
    batches,
    bodies,
    commit: async (batch) => {
      batches.push(batch)
      const permitted = batch.intents.filter((intent) => verdictOf(intent) === 'may_sign')
      bodies.push(...permitted.map(({ body }) => body), ...batch.notes)
      return { intents: batch.intents.map(verdictOf), checks: batch.checks.map(verdictOf) }
    },
  }
}

/** A store that cannot write, until it is mended. */
export function failingCommit(inner: CommitBatch, error: Error) {
  let isBroken = true
  let attempts = 0
  return {
    mend: () => (isBroken = false),
    attempts: () => attempts,
    commit: async (batch: AuditBatch) => {
      attempts += 1
      if (isBroken) throw error
      return inner(batch)
    },
  }
}

/** A store that takes as long as the test wants: each batch waits to be let through. */
export function heldCommit(inner: CommitBatch) {
  const waiting: PromiseWithResolvers<void>[] = []
  return {
    /** How many batches have begun and not ended. */
    held: () => waiting.length,
    letThrough: () => waiting.shift()?.resolve(),
    commit: async (batch: AuditBatch) => {
      const turn = Promise.withResolvers<void>()
      waiting.push(turn)
      await turn.promise
      return inner(batch)
    },
  }
}

/** A queue in front of a store, with time that stands still, no lingering, and the failures it told. */
export function queueOn(
  commit: CommitBatch,
  clock = manualClock(),
  linger: () => Promise<void> = () => Promise.resolve(),
) {
  const failures: unknown[] = []
  const never = Promise.withResolvers<void>().promise
  // A window of denials does not end in a test; an outcome lingers as long as the test says.
  const wait = (ms: number) => (ms < denialWindowMs ? linger() : never)
  const queue = new AuditQueue(commit, clock, (error) => failures.push(error), wait)
  return { queue, failures }
}
