import { type ErrorCode, ServiceError, toServiceError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { shareToken, type TokenBucket } from '../lib/token-bucket.ts'
import type { QuotaShare } from './signer.ts'

/** Why a request was not sent to its vault; `rest`: the vault itself has said when to come again. */
export type Refusal = 'breaker' | 'queue' | 'quota' | 'rest'

/** Who is told what becomes of requests to vaults, by the names these have in the configuration. */
export type VaultObserver = {
  /** One request that was sent, when it was answered or given up. */
  vaultAnswered(request: {
    readonly vault: string
    readonly code: 'ok' | ErrorCode
    readonly ms: number
  }): void
  vaultRefused(vault: string, refusal: Refusal): void
}

export type VaultSurroundings = {
  readonly vault: string
  readonly clock: Clock
  readonly observer: VaultObserver
}

/** When to come again where the vault does not say it. */
const comeAgainMs = 1_000

/**
 * One request, timed and told of.
 *
 * @param caller whose own reason to give up is passed on as it is.
 * @throws {ServiceError} what `work` threw.
 */
export async function watched<T>(
  { vault, clock, observer }: VaultSurroundings,
  work: () => Promise<T>,
  caller: AbortSignal,
): Promise<T> {
  const startedMs = clock.monotonicMs()
  const tell = (code: 'ok' | ErrorCode) =>
    observer.vaultAnswered({ vault, code, ms: clock.monotonicMs() - startedMs })
  try {
    const answer = await work()
    tell('ok')
    return answer
  } catch (error) {
    const failure = toServiceError(error)
    tell(failure.code)
    throw caller.aborted ? error : failure
  }
}

/** With `retryAfterMs` where coming again can help; what the vault itself has said of it stays. */
export function withRetryAfter(error: unknown): unknown {
  if (!(error instanceof ServiceError)) return error
  const { code, message, details, cause } = error
  const canHelp = code === 'vault_unavailable' || code === 'vault_throttled'
  if (!canHelp || details.retryAfterMs !== undefined) return error
  return new ServiceError(code, message, {
    cause,
    details: { ...details, retryAfterMs: comeAgainMs },
  })
}

/** Of a vault that counts everything as one, and of requests that are no signatures. */
export const oneOfAll: QuotaShare = { pool: 'all', units: 1, perSecond: undefined }

/** The vault's quotas as far as this process knows them: what would be beyond one is not sent. */
export class VaultQuota {
  readonly #perSecond: number | undefined
  readonly #surroundings: VaultSurroundings
  readonly #buckets = new Map<string, TokenBucket>()
  readonly #restUntilMs = new Map<string, number>()

  /** @param perSecond of each pool, in place of what the vault gives by itself. */
  constructor(perSecond: number | undefined, surroundings: VaultSurroundings) {
    this.#perSecond = perSecond
    this.#surroundings = surroundings
  }

  /** @throws {ServiceError} `vault_throttled` with `retryAfterMs`. */
  spend({ pool, units, perSecond = Infinity }: QuotaShare): void {
    const nowMs = this.#surroundings.clock.monotonicMs()
    const restMs = (this.#restUntilMs.get(pool) ?? -Infinity) - nowMs
    if (restMs > 0) throw this.#refusal('rest', 'The vault is throttling', restMs)
    const rate = this.#perSecond ?? perSecond
    if (rate === Infinity) return
    const answer = shareToken(this.#buckets.get(pool), rate, nowMs, units)
    this.#buckets.set(pool, answer.bucket)
    if (answer.verdict === 'allow') return
    throw this.#refusal('quota', 'The quota of the vault is used up', answer.retryAfterMs)
  }

  /** What the vault has answered: a time at which it wants to be asked again is kept. */
  heed({ pool }: QuotaShare, error: unknown): void {
    if (!(error instanceof ServiceError) || error.code !== 'vault_throttled') return
    const { retryAfterMs } = error.details
    if (retryAfterMs === undefined) return
    this.#restUntilMs.set(pool, this.#surroundings.clock.monotonicMs() + retryAfterMs)
  }

  #refusal(refusal: Refusal, message: string, retryAfterMs: number): ServiceError {
    const { observer, vault } = this.#surroundings
    observer.vaultRefused(vault, refusal)
    return new ServiceError('vault_throttled', message, { details: { retryAfterMs } })
  }
}
