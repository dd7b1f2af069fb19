import { type ErrorCode, ServiceError, toServiceError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { shareToken, type TokenBucket } from '../lib/token-bucket.ts'

/** Why a request was not sent to its vault. */
export type Refusal = 'breaker' | 'queue' | 'quota'

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

/** When to come again to a vault that could not be reached. */
const unavailableMs = 1_000

/**
 * One request, timed and told of.
 *
 * @param caller whose own reason to give up is passed on as it is.
 * @throws {ServiceError} what `work` threw, with `retryAfterMs` where coming again can help.
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
    const failure = withRetryAfter(toServiceError(error))
    tell(failure.code)
    throw caller.aborted ? error : failure
  }
}

function withRetryAfter(error: ServiceError): ServiceError {
  const { code, message, details, cause } = error
  if (code !== 'vault_unavailable' || details.retryAfterMs !== undefined) return error
  return new ServiceError(code, message, {
    cause,
    details: { ...details, retryAfterMs: unavailableMs },
  })
}

/** The vault's quota as far as this process knows it: what would be beyond it is not sent. */
export class VaultQuota {
  readonly #perSecond: number | undefined
  readonly #surroundings: VaultSurroundings
  #bucket: TokenBucket | undefined

  constructor(perSecond: number | undefined, surroundings: VaultSurroundings) {
    this.#perSecond = perSecond
    this.#surroundings = surroundings
  }

  /** @throws {ServiceError} `vault_throttled` with `retryAfterMs`. */
  spend(): void {
    if (this.#perSecond === undefined) return
    const { clock, observer, vault } = this.#surroundings
    const answer = shareToken(this.#bucket, this.#perSecond, clock.monotonicMs())
    this.#bucket = answer.bucket
    if (answer.verdict === 'allow') return
    observer.vaultRefused(vault, 'quota')
    const { retryAfterMs } = answer
    throw new ServiceError('vault_throttled', 'The quota of the vault is used up', {
      details: { retryAfterMs },
    })
  }
}
