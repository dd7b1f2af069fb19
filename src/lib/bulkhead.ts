import { bulkhead as cockatielBulkhead, BulkheadRejectedError } from 'cockatiel'
import { ServiceError } from '../errors.ts'

/** Runs work, at most so much at a time. */
export interface Bulkhead {
  /** @throws {ServiceError} `overloaded`, at once, when the queue is full. */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>
  /** How much waits for its turn. */
  readonly waiting: number
}

/** What waits longer than its own deadline is dropped when its turn comes, before any work. */
export function bulkhead(concurrentMax: number, queuedMax: number): Bulkhead {
  const policy = cockatielBulkhead(concurrentMax, queuedMax)
  return {
    get waiting() {
      return queuedMax - policy.queueSlots
    },
    async run(work, signal) {
      try {
        return await policy.execute(() => {
          signal.throwIfAborted()
          return work()
        })
      } catch (error) {
        if (!(error instanceof BulkheadRejectedError)) throw error
        throw new ServiceError('overloaded', 'Too many requests are waiting', {
          details: { retryAfterMs: 1_000 },
        })
      }
    },
  }
}
