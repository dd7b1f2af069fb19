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
  #reading: Promise<void> | undefined
  /** Of the last reading, unless it succeeded. */
  #failedAtMs: number | undefined
  /** Of the last reading that a token with an unknown key id asked for. */
  #soughtAtMs = -Infinity

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

    // Another request may have brought the keys while this one looked.
    if (this.#held === looked) await this.#seek(signal)
    if (this.#held !== looked) return this.#look(header)
    // While the issuer is away nobody knows whether it has made this key since.
    if (this.#failedAtMs !== undefined) throw unavailable()
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

  /** Reads for a key that is not held: at once, and then not again for a while. */
  async #seek(signal: AbortSignal): Promise<void> {
    const nowMs = this.#deps.clock.monotonicMs()
    const isCooling = this.#failedAtMs === undefined && nowMs - this.#soughtAtMs < cooldownMs
    if (!this.#reading) {
      if (isCooling || this.#isPausing()) return
      this.#soughtAtMs = nowMs
    }
    await this.#readAgain(signal)
  }

  /** Concurrent callers share one reading; one that comes too soon after a failure does nothing. */
  async #readAgain(signal: AbortSignal): Promise<void> {
    if (!this.#reading && this.#isPausing()) return
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined))
    await within(this.#reading, signal)
  }

  #isPausing(): boolean {
    if (this.#failedAtMs === undefined) return false
    return this.#deps.clock.monotonicMs() - this.#failedAtMs < retryMs
  }

  async #read(): Promise<void> {
    const { load, clock, onFailure } = this.#deps
    try {
      const keys = await load()
      this.#held = { keys, readAtMs: clock.monotonicMs() }
      this.#failedAtMs = undefined
    } catch (error) {
      this.#failedAtMs = clock.monotonicMs()
      onFailure(error)
    }
  }
}

function unavailable(): ServiceError {
  return new ServiceError('issuer_unavailable', 'The issuer of the token cannot be asked now', {
    details: { retryAfterMs: retryMs },
  })
}
