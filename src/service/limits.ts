import { ServiceError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Grant } from '../policy/grant.ts'
import { takeToken, type TokenBucket } from '../lib/token-bucket.ts'

/** The buckets of this process, one per grant that has a limit. */
export class Limits {
  readonly #clock: Clock
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Counts a request, whatever becomes of it: refused ones count.
   *
   * @returns `rate_limited` when it is one too many.
   */
  take({ name, limitPerSecond }: Grant): ServiceError | undefined {
    if (limitPerSecond === undefined) return undefined
    const answer = takeToken(this.#buckets.get(name), limitPerSecond, this.#clock.monotonicMs())
    this.#buckets.set(name, answer.bucket)
    if (answer.verdict === 'allow') return undefined
    const { retryAfterMs } = answer
    return new ServiceError('rate_limited', 'The limit of this grant is reached', {
      details: { retryAfterMs },
    })
  }
}
