import { ServiceError, toServiceError } from '../errors.ts'
import { type Proof, type ProofCode, proveUsable } from '../keys/proof.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import type { Clock } from '../lib/clock.ts'
import { deadline, within } from '../lib/deadline.ts'
import type { Logger } from '../lib/log.ts'
import type { OpenedVersions } from './opened-versions.ts'

/** One signature, whatever its vault's own deadlines are. */
const provingMs = 10_000

/** What somebody does to a standby in its vault is noticed after this long, at one signature's cost. */
const provedForMs = 600_000

/** After the first failure; then twice as long each time. A vault may bill for being asked. */
const firstPauseMs = 1_000
const pauseMsMax = 30_000

/** What is known now; `revision` changes with it. */
export type FoundProofs = { readonly revision: number; readonly proofs: readonly Proof[] }

type Attempt = {
  /** Undefined as long as the first one is under way. */
  readonly proof: Proof | undefined
  readonly isProving: boolean
  /** Monotonic: not to be tried again before. */
  readonly dueAtMs: number
  readonly pauseMs: number
}

const neverTried: Attempt = {
  proof: undefined,
  isProving: false,
  dueAtMs: 0,
  pauseMs: firstPauseMs,
}

/**
 * Whether this process could sign with the versions that may become active (DESIGN §7): each is
 * opened and signs a text for nobody, ahead of the switch to it.
 */
export class Proofs {
  readonly #opened: OpenedVersions
  readonly #clock: Clock
  readonly #log: Logger
  /** By `key@n`. */
  readonly #attempts = new Map<string, Attempt>()
  #revision = 0

  constructor(opened: OpenedVersions, { clock, log }: { clock: Clock; log: Logger }) {
    this.#opened = opened
    this.#clock = clock
    this.#log = log
  }

  get found(): FoundProofs {
    const proofs = [...this.#attempts.values()].flatMap(({ proof }) => proof ?? [])
    return { revision: this.#revision, proofs }
  }

  /**
   * Begins what is due for these versions and forgets all others. Never rejects.
   *
   * @returns when what was begun has ended; nobody has to wait for it.
   */
  async prove(versions: readonly KeyVersion[]): Promise<void> {
    this.#keep(versions)
    await Promise.all(versions.map((version) => this.#proveIfDue(version)))
  }

  #keep(versions: readonly KeyVersion[]): void {
    const kept = new Set(versions.map(nameOf))
    for (const name of this.#attempts.keys()) if (!kept.has(name)) this.#attempts.delete(name)
  }

  async #proveIfDue(version: KeyVersion): Promise<void> {
    const name = nameOf(version)
    const last = this.#attempts.get(name) ?? neverTried
    if (last.isProving || this.#clock.monotonicMs() < last.dueAtMs) return
    this.#attempts.set(name, { ...last, isProving: true })
    const failure = await this.#try(version)
    // Forgotten meanwhile: it was revoked, or is active.
    if (this.#attempts.has(name)) this.#note(version, last, failure)
  }

  #note(version: KeyVersion, last: Attempt, failure: ServiceError | undefined): void {
    const { key, n } = version
    const code: ProofCode = failure?.code ?? 'ok'
    const waitMs = failure ? last.pauseMs : provedForMs
    this.#attempts.set(nameOf(version), {
      proof: { key, n, code, at: this.#clock.now() },
      isProving: false,
      dueAtMs: this.#clock.monotonicMs() + waitMs,
      pauseMs: failure ? Math.min(pauseMsMax, last.pauseMs * 2) : firstPauseMs,
    })
    if (last.proof?.code === code) return
    this.#revision += 1
    this.#say(nameOf(version), failure)
  }

  /** Said once for each reason. */
  #say(name: string, failure: ServiceError | undefined): void {
    if (failure) this.#log.error('version cannot be proved', failure, { version: name })
    else this.#log.info('version proved', { version: name })
  }

  /** @returns why it could not sign. */
  async #try(version: KeyVersion): Promise<ServiceError | undefined> {
    using limit = deadline(provingMs)
    const { signal } = limit
    try {
      await within(this.#prove(version, signal), signal)
      return undefined
    } catch (error) {
      return toServiceError(error)
    }
  }

  async #prove(version: KeyVersion, signal: AbortSignal): Promise<void> {
    await this.#opened.open(version)
    const opened = this.#opened.get(version)
    if (opened instanceof ServiceError) throw opened
    if (opened) await proveUsable(version, opened, signal)
    else throw new ServiceError('vault_unavailable', 'The version is no longer to be opened')
  }
}

function nameOf({ key, n }: KeyVersion): string {
  return versionName(key, n)
}
