import { type ErrorCode, ServiceError } from '../errors.ts'
import { type Breaker, breaker, type Sign } from '../lib/breaker.ts'
import { type Bulkhead, bulkhead } from '../lib/bulkhead.ts'
import { deadline, within } from '../lib/deadline.ts'
import { Lingering } from '../lib/lingering.ts'
import { type Twice, twice } from '../lib/retry.ts'
import { type QuotaShare, ReplacedCredential } from './signer.ts'
import {
  oneOfAll,
  VaultQuota,
  type VaultSurroundings,
  watched,
  withRetryAfter,
} from './vault-requests.ts'

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
  /** None for what is not counted. */
  readonly share: QuotaShare | undefined
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
  readonly #lingering: Lingering
  readonly #twice: Twice = twice(mayTryAgain)

  constructor({ concurrency, quotaPerSecond }: GuardLimits, surroundings: VaultSurroundings) {
    this.#surroundings = surroundings
    this.#breaker = breaker(surroundings.clock, signOf)
    this.#quota = new VaultQuota(quotaPerSecond, surroundings)
    this.#places = bulkhead(concurrency, waitingMax)
    this.#lingering = new Lingering(concurrency)
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
   * @param share what each try takes of which quota.
   * @throws {ServiceError} what `work` threw; `vault_unavailable`, `vault_throttled` or `overloaded` with
   *   `retryAfterMs` when it was not sent; `deadline_exceeded`; the signal's reason.
   */
  async request<T>(
    work: Work<T>,
    timeoutMs: number,
    signal: AbortSignal,
    share: QuotaShare = oneOfAll,
  ): Promise<T> {
    return this.#send({ work, timeoutMs, share }, signal)
  }

  /** As `request`, for looking at a key: vendors count that apart, and it is done rarely. */
  async look<T>(work: Work<T>, timeoutMs: number, signal: AbortSignal): Promise<T> {
    return this.#send({ work, timeoutMs, share: undefined }, signal)
  }

  async #send<T>(asked: Asked<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    this.#assertReachable()
    this.#spend(asked) // before it waits: what would be refused takes nobody's place
    const answered = this.#places.run(() => this.#tries(asked, signal), signal)
    try {
      return await within(answered, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (isOneOf(error, 'overloaded')) this.#refused('queue')
      throw withRetryAfter(error)
    }
  }

  async #tries<T>(asked: Asked<T>, caller: AbortSignal): Promise<T> {
    this.#assertReachable() // it may have gone while this one waited
    const answered = this.#attempts(asked, caller)
    answered.catch(() => {}) // it may go on when the caller, and with it the place, has gone
    return within(answered, caller)
  }

  async #attempts<T>(asked: Asked<T>, caller: AbortSignal): Promise<T> {
    using wait = this.#lingering.wait(deadline(asked.timeoutMs), caller)
    const { signal } = wait
    const once = () =>
      this.#once(asked, signal, caller).catch((error: unknown) => {
        throw caller.aborted && !wait.lingers ? new GivenUp() : error
      })
    const tries = this.#twice((isAgain) => {
      if (isAgain) {
        caller.throwIfAborted()
        this.#assertReachable()
        this.#spend(asked)
      }
      return this.#breaker.run(once)
    }, signal)
    return await within(tries, signal) // the pause ends with its deadline, too
  }

  async #once<T>({ work, share }: Asked<T>, signal: AbortSignal, caller: AbortSignal): Promise<T> {
    const sent = async () => {
      try {
        return await within(work(signal), signal)
      } catch (error) {
        if (share) this.#quota.heed(share, error)
        throw error
      }
    }
    return watched(this.#surroundings, sent, caller)
  }

  #spend({ share }: Asked<unknown>): void {
    if (share) this.#quota.spend(share)
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

/** Neither the caller nor anybody else waited for the answer, which says nothing of the vault. */
class GivenUp extends Error {}

/**
 * What another try may answer otherwise; a deadline that has passed leaves no time for one, and a vault
 * that says when to come again is not asked before.
 */
function mayTryAgain(error: unknown): boolean {
  if (!(error instanceof ServiceError)) return false
  if (error.cause instanceof ReplacedCredential) return true
  const isFleeting = isOneOf(error, 'vault_unavailable', 'vault_throttled')
  return isFleeting && error.details.retryAfterMs === undefined
}

/** A vault that refuses, throttles, or knows no such key is there. */
function signOf(error: unknown): Sign {
  if (error instanceof GivenUp) return 'unknown'
  return isOneOf(error, 'vault_unavailable', 'deadline_exceeded') ? 'down' : 'up'
}

function isOneOf(error: unknown, ...codes: readonly ErrorCode[]): boolean {
  return error instanceof ServiceError && codes.includes(error.code)
}
