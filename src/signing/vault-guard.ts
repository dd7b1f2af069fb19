import { type ErrorCode, ServiceError } from '../errors.ts'
import { type Breaker, breaker, type Sign } from '../lib/breaker.ts'
import { type Bulkhead, bulkhead } from '../lib/bulkhead.ts'
import { deadline, within } from '../lib/deadline.ts'
import { type Twice, twice } from '../lib/retry.ts'
import { VaultQuota, type VaultSurroundings, watched } from './vault-requests.ts'

export type GuardLimits = {
  /** Requests at once. */
  readonly concurrency: number
  /** As the vault counts them: each try is one. */
  readonly quotaPerSecond: number | undefined
}

type Work<T> = (signal: AbortSignal) => Promise<T>

type Asked<T> = {
  readonly work: Work<T>
  readonly timeoutMs: number
  readonly spend: () => void
}

/**
 * Requests that wait for a place: more than one caller may have in flight, so that none fills it alone.
 */
export const waitingMax = 512

/**
 * What every request to a vault over a network passes, and no other vault's requests: its breaker, its
 * quota, its places. One that failed is tried once more, inside its deadline.
 */
export class VaultGuard {
  readonly #surroundings: VaultSurroundings
  readonly #breaker: Breaker
  readonly #quota: VaultQuota
  readonly #places: Bulkhead
  readonly #twice: Twice = twice(mayTryAgain)

  constructor({ concurrency, quotaPerSecond }: GuardLimits, surroundings: VaultSurroundings) {
    this.#surroundings = surroundings
    this.#breaker = breaker(surroundings.clock, signOf)
    this.#quota = new VaultQuota(quotaPerSecond, surroundings)
    this.#places = bulkhead(concurrency, waitingMax)
  }

  get breakerState(): Breaker['state'] {
    return this.#breaker.state
  }

  /** Requests that wait for a place. */
  get waiting(): number {
    return this.#places.waiting
  }

  /**
   * A signature: each try counts against the quota.
   *
   * @param work one request, which may be sent twice: never one that makes something.
   * @param timeoutMs from when it has its place: both tries, and the pause between them.
   * @throws {ServiceError} what `work` threw; `vault_unavailable`, `vault_throttled` or `overloaded` with
   *   `retryAfterMs` when it was not sent; `deadline_exceeded`; the signal's reason.
   */
  async request<T>(work: Work<T>, timeoutMs: number, signal: AbortSignal): Promise<T> {
    return this.#send({ work, timeoutMs, spend: () => this.#quota.spend() }, signal)
  }

  /** As `request`, for looking at a key: vendors count that apart, and it is done rarely. */
  async look<T>(work: Work<T>, timeoutMs: number, signal: AbortSignal): Promise<T> {
    return this.#send({ work, timeoutMs, spend: () => {} }, signal)
  }

  async #send<T>(asked: Asked<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    this.#assertReachable()
    asked.spend() // before it waits: what would be refused takes nobody's place
    const answered = this.#places.run(() => this.#tries(asked, signal), signal)
    try {
      return await within(answered, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (isOneOf(error, 'overloaded')) this.#refused('queue')
      throw error
    }
  }

  async #tries<T>({ work, timeoutMs, spend }: Asked<T>, caller: AbortSignal): Promise<T> {
    this.#assertReachable() // it may have gone while this one waited
    using limit = deadline(timeoutMs, caller)
    const { signal } = limit
    const once = () => {
      const asked = () => within(work(signal), signal)
      return watched(this.#surroundings, asked, caller).catch((error: unknown) => {
        throw caller.aborted ? new GivenUp() : error
      })
    }
    const tries = this.#twice((isAgain) => {
      if (isAgain) this.#assertReachable()
      if (isAgain) spend()
      return this.#breaker.run(once)
    }, signal)
    return await within(tries, signal) // the pause ends with its deadline, too
  }

  #assertReachable(): void {
    const retryAfterMs = this.#breaker.refusedForMs()
    if (retryAfterMs === undefined) return
    this.#refused('breaker')
    throw new ServiceError('vault_unavailable', 'The vault cannot be reached', {
      details: { retryAfterMs },
    })
  }

  #refused(refusal: 'breaker' | 'queue'): void {
    const { observer, vault } = this.#surroundings
    observer.vaultRefused(vault, refusal)
  }
}

/** The caller did not wait for the answer, which says nothing of the vault. */
class GivenUp extends Error {}

/** What another try may answer otherwise; a deadline that has passed leaves no time for one. */
function mayTryAgain(error: unknown): boolean {
  return isOneOf(error, 'vault_unavailable', 'vault_throttled')
}

/** A vault that refuses, throttles, or knows no such key is there. */
function signOf(error: unknown): Sign {
  if (error instanceof GivenUp) return 'unknown'
  return isOneOf(error, 'vault_unavailable', 'deadline_exceeded') ? 'down' : 'up'
}

function isOneOf(error: unknown, ...codes: readonly ErrorCode[]): boolean {
  return error instanceof ServiceError && codes.includes(error.code)
}
