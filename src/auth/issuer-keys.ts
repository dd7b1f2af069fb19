import { ServiceError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { within } from '../lib/deadline.ts'
import { hasNoKeyFor, type PublicKeySet } from './jwks.ts'

/** Older keys are read again, while they go on being used. */
const freshMs = 600_000

/** An issuer that cannot be reached stands in for itself so long (CONTRACT §1.3). */
const staleMsMax = 86_400_000

/** Between two readings that tokens with unknown key ids ask for: nobody can make us hammer an issuer. */
const cooldownMs = 30_000

/** Between two attempts at an issuer that does not answer. */
const retryMs = 5_000

/** Reads an issuer's keys, from wherever it publishes them, within a bound of its own. */
export type LoadKeys = () => Promise<PublicKeySet>

type KeyHeader = Parameters<PublicKeySet>[0]
type KeyFound = Awaited<ReturnType<PublicKeySet>>

export type IssuerKeysDeps = {
  readonly load: LoadKeys
  readonly clock: Clock
  readonly onFailure: (error: unknown) => void
}

/** The keys of one issuer: read when first needed, shared by all requests, kept while it is away. */
export class IssuerKeys {
  readonly #deps: IssuerKeysDeps
  #held: { readonly keys: PublicKeySet; readonly readAtMs: number } | undefined
  #attempt: { readonly atMs: number; readonly failed: boolean } | undefined
  #reading: Promise<void> | undefined

  constructor(deps: IssuerKeysDeps) {
    this.#deps = deps
  }

  /**
   * The key that a token's header names; undefined when the issuer has none such.
   *
   * @throws {ServiceError} `issuer_unavailable` when that cannot be told.
   */
  async find(header: KeyHeader, signal: AbortSignal): Promise<KeyFound | undefined> {
    if (this.#age() > staleMsMax) await this.#readAgain(signal)
    else if (this.#age() > freshMs) void this.#readAgain(signal).catch(() => {})
    const looked = this.#held
    const found = await this.#look(header)
    if (found) return found

    await this.#readAgain(signal)
    // By this request, or by another while this one looked.
    if (this.#held !== looked) return this.#look(header)
    // While the issuer is away nobody knows whether it has made this key since.
    if (this.#attempt?.failed) throw unavailable()
    return undefined
  }

  async #look(header: KeyHeader): Promise<KeyFound | undefined> {
    if (!this.#held || this.#age() > staleMsMax) throw unavailable()
    try {
      return await this.#held.keys(header, { payload: '', signature: '' })
    } catch (error) {
      if (hasNoKeyFor(error)) return undefined
      throw error
    }
  }

  #age(): number {
    if (!this.#held) return Infinity
    return this.#deps.clock.monotonicMs() - this.#held.readAtMs
  }

  /** Concurrent callers share one reading; one that comes too soon after the last does nothing. */
  async #readAgain(signal: AbortSignal): Promise<void> {
    if (!this.#reading && this.#isTooSoon()) return
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined))
    await within(this.#reading, signal)
  }

  #isTooSoon(): boolean {
    if (!this.#attempt) return false
    const pauseMs = this.#attempt.failed ? retryMs : cooldownMs
    return this.#deps.clock.monotonicMs() - this.#attempt.atMs < pauseMs
  }

  async #read(): Promise<void> {
    const { load, clock, onFailure } = this.#deps
    try {
      const keys = await load()
      this.#held = { keys, readAtMs: clock.monotonicMs() }
      this.#attempt = { atMs: clock.monotonicMs(), failed: false }
    } catch (error) {
      this.#attempt = { atMs: clock.monotonicMs(), failed: true }
      onFailure(error)
    }
  }
}

function unavailable(): ServiceError {
  return new ServiceError('issuer_unavailable', 'The issuer of the token cannot be asked now', {
    details: { retryAfterMs: retryMs },
  })
}
