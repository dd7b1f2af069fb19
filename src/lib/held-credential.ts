import { ServiceError } from '../errors.ts'
import type { Clock } from './clock.ts'
import { deadline, within } from './deadline.ts'

/** Replaced so long before its end; what lives shorter, at half its life. */
const marginMs = 300_000

/** A source that fails is asked again after this long, then after twice as long each time. */
const everyMsMin = 1_000
/** Nobody is harmed as long as something valid is held. */
const everyMsMaxWhileValid = 60_000
const everyMsMaxWithout = 5_000

/** Of one fetch. Whoever has to wait for it brings a deadline of their own. */
export const fetchMsMax = 10_000

/** Between two that were given up without having been accepted once: another is no cure for that. */
const giveUpEveryMsMin = 10_000

export type Fetched<C> = {
  readonly credential: C
  /** Wall clock, epoch milliseconds; `Infinity` for one that never ends. */
  readonly expiresAt: number
}

/** What is known at one moment. */
export type Holding = {
  readonly held: { readonly expiresAt: number; readonly refreshAt: number } | undefined
  readonly isFetching: boolean
  /** Of the last fetches, until one succeeds. */
  readonly failures: number
  /** Monotonic; `-Infinity` before the first. */
  readonly lastFetchEndedMs: number
}

export type Course =
  /** Give out what is held, ended or not: it is all that there is. */
  | 'use'
  /** As `use`, and have it replaced meanwhile: nobody waits for that. */
  | 'use-and-fetch'
  /** Nothing valid is held: fetch, or wait for the fetch that is under way. */
  | 'wait'
  /** As the last fetch, which failed a moment ago. */
  | 'fail'

/** Pure. @param now wall clock, which expiry goes by; @param nowMs monotonic, which pauses go by. */
export function courseOf(holding: Holding, now: number, nowMs: number): Course {
  const { held, isFetching, failures, lastFetchEndedMs } = holding
  const isValid = held !== undefined && now < held.expiresAt
  const mayFetch = !isFetching && nowMs >= lastFetchEndedMs + pauseMs(failures, isValid)
  if (isValid) return mayFetch && now >= held.refreshAt ? 'use-and-fetch' : 'use'
  if (isFetching || mayFetch) return 'wait'
  return held !== undefined && failures === 0 ? 'use' : 'fail'
}

function pauseMs(failures: number, isValid: boolean): number {
  const most = isValid ? everyMsMaxWhileValid : everyMsMaxWithout
  return Math.min(most, everyMsMin * 2 ** Math.max(0, failures - 1))
}

/**
 * A credential that ends, fetched once for all who ask at the same time. As long as what is held is valid
 * nobody waits: it is replaced in the background, and a source that hangs or fails is not noticed.
 */
export class HeldCredential<C> {
  readonly #fetch: (signal: AbortSignal) => Promise<Fetched<C>>
  readonly #clock: Clock
  #held: (Fetched<C> & { readonly refreshAt: number }) | undefined
  #fetching: Promise<C> | undefined
  /** Of the fetch that counts: one that was begun before a `giveUp` may bring what was given up. */
  #turn: object | undefined
  #failures = 0
  #lastError: unknown
  #lastFetchEndedMs = -Infinity
  #gaveUpAtMs = -Infinity
  /** What is held has served its purpose once. */
  #isAccepted = false

  /**
   * @param fetch asks the source afresh, sharing nothing with an earlier fetch: that one may hang for ever.
   *   Its signal fires after `fetchMsMax`; what it answers later is dropped.
   */
  constructor(fetch: (signal: AbortSignal) => Promise<Fetched<C>>, clock: Clock) {
    this.#fetch = fetch
    this.#clock = clock
  }

  /** What is held, valid or not. */
  get held(): C | undefined {
    return this.#held?.credential
  }

  /** @throws what the source threw; `vault_unavailable` for one that did not answer. */
  async get(): Promise<C> {
    const course = this.#course()
    if (course === 'fail') throw this.#lastError
    if (course === 'wait' || !this.#held) return (this.#fetching ??= this.#refresh())
    if (course === 'use-and-fetch') {
      this.#fetching = this.#refresh()
      this.#fetching.catch(() => {}) // told when nothing valid is left
    }
    return this.#held.credential
  }

  /** For what is held, when it was accepted. */
  accept(): void {
    this.#isAccepted = true
  }

  /**
   * For what is not accepted, or not any more: gives it up, and lets the next be fetched at once.
   *
   * @returns false for one that never was, where another was given up a moment ago: then nothing is changed.
   */
  giveUp(): boolean {
    const nowMs = this.#clock.monotonicMs()
    if (!this.#isAccepted && nowMs < this.#gaveUpAtMs + giveUpEveryMsMin) return false
    this.#gaveUpAtMs = nowMs
    this.#isAccepted = false
    this.#held = undefined
    this.#fetching = undefined
    this.#turn = undefined
    this.#failures = 0
    this.#lastFetchEndedMs = -Infinity
    return true
  }

  #course(): Course {
    const holding = {
      held: this.#held,
      isFetching: this.#fetching !== undefined,
      failures: this.#failures,
      lastFetchEndedMs: this.#lastFetchEndedMs,
    }
    return courseOf(holding, this.#clock.now(), this.#clock.monotonicMs())
  }

  async #refresh(): Promise<C> {
    const turn = (this.#turn = {})
    try {
      const fetched = await this.#fetchInTime()
      if (this.#turn === turn) {
        this.#held = { ...fetched, refreshAt: refreshAt(fetched, this.#clock.now()) }
        this.#failures = 0
      }
      return fetched.credential
    } catch (error) {
      if (this.#turn === turn) {
        this.#failures += 1
        this.#lastError = error
      }
      throw error
    } finally {
      if (this.#turn === turn) {
        this.#fetching = undefined
        this.#lastFetchEndedMs = this.#clock.monotonicMs()
      }
    }
  }

  async #fetchInTime(): Promise<Fetched<C>> {
    using limit = deadline(fetchMsMax)
    try {
      return await within(this.#fetch(limit.signal), limit.signal)
    } catch (cause) {
      // The source's time is over, and not that of whoever waits for it.
      if (!limit.signal.aborted) throw cause
      throw new ServiceError('vault_unavailable', 'The vault cannot be reached', { cause })
    }
  }
}

function refreshAt({ expiresAt }: Fetched<unknown>, now: number): number {
  const leftMs = expiresAt - now
  return now + Math.max(leftMs - marginMs, leftMs / 2)
}
