import type { Clock } from '../../lib/clock.ts'
import { type BucketAnswer, takeToken, type TokenBucket } from '../../lib/token-bucket.ts'

/** Of one token. Ten times what a rotation of many keys needs. */
const requestsPerSecond = 50

/** The buckets of this process, one for each token that was proved. */
export class Rates {
  readonly #clock: Clock
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  take(id: string): BucketAnswer {
    const answer = takeToken(this.#buckets.get(id), requestsPerSecond, this.#clock.monotonicMs())
    this.#buckets.set(id, answer.bucket)
    return answer
  }
}
