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

  /** @throws {ServiceError} `rate_limited`. */
  take({ name, limitPerSecond }: Grant): void {
    if (limitPerSecond === undefined) return
    const answer = takeToken(this.#buckets.get(name), limitPerSecond, this.#clock.monotonicMs())
    this.#buckets.set(name, answer.bucket)
    if (answer.verdict === 'allow') return
    const { retryAfterMs } = answer
    throw new ServiceError('rate_limited', 'The limit of this grant is reached', {
      details: { retryAfterMs },
    })
  }
}
