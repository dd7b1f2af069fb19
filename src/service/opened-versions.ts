import { type ErrorCode, ServiceError, toServiceError } from '../errors.ts'
import { assertKnownAnswer } from '../keys/known-answer.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import { equalBytes } from '../lib/bytes.ts'
import type { Clock } from '../lib/clock.ts'
import { deadline, within } from '../lib/deadline.ts'
import type { Logger } from '../lib/log.ts'
import { algorithm } from '../signing/algorithms.ts'
import { assertFits, publicKeyFromSpki } from '../signing/public-key.ts'
import type { SigningKey } from '../signing/sign.ts'
import type { Vault } from '../signing/signer.ts'

/** One version, whatever its vault's own deadlines are. */
const openingMs = 10_000

/** After the second failure; then twice as long each time. A vault may bill for being asked. */
const firstPauseMs = 1_000
const pauseMsMax = 30_000

export type Opened = SigningKey | ServiceError

type Attempt = {
  /** Undefined as long as the first one is under way. */
  readonly opened: Opened | undefined
  readonly opening: Promise<void> | undefined
  /** Monotonic: not to be tried again before. */
  readonly retryAtMs: number
  /** How long the next failure will keep it from being tried. */
  readonly pauseMs: number
}

const neverTried: Attempt = { opened: undefined, opening: undefined, retryAtMs: 0, pauseMs: 0 }

/** What another look at an open version has shown. */
export type Inspection =
  | { readonly verdict: 'unchanged' }
  /** Nobody could be asked: no reason to stop what is known to be good. */
  | { readonly verdict: 'unknown'; readonly error: ServiceError }
  /** The vault does not let us look: as `unknown`, but it will not pass by itself. */
  | { readonly verdict: 'denied'; readonly error: ServiceError }
  | { readonly verdict: 'changed'; readonly error: ServiceError }

const verdicts: Readonly<Partial<Record<ErrorCode, 'changed' | 'denied'>>> = {
  // Only the vault's own word about the key is a change of it.
  vault_key_unusable: 'changed',
  vault_denied: 'denied',
}

export function inspectionOf(opened: Opened): Inspection {
  if (!(opened instanceof ServiceError)) return { verdict: 'unchanged' }
  return { verdict: verdicts[opened.code] ?? 'unknown', error: opened }
}

/** The versions that sign, each opened once; one that waits for its vault keeps no other waiting. */
export class OpenedVersions {
  readonly #vaults: ReadonlyMap<string, Vault>
  readonly #clock: Clock
  readonly #log: Logger
  /** By `key@n`. */
  readonly #attempts = new Map<string, Attempt>()

  constructor(sources: {
    readonly vaults: ReadonlyMap<string, Vault>
    readonly clock: Clock
    readonly log: Logger
  }) {
    this.#vaults = sources.vaults
    this.#clock = sources.clock
    this.#log = sources.log
  }

  /** The version, or why it cannot be used; undefined while nobody knows. */
  get(version: KeyVersion): Opened | undefined {
    return this.#attempts.get(nameOf(version))?.opened
  }

  /** What is open stays open; what could not be opened is tried again, after a pause. Never rejects. */
  async open(version: KeyVersion): Promise<void> {
    const name = nameOf(version)
    const last = this.#attempts.get(name) ?? neverTried
    if (last.opening) return last.opening
    if (this.isOpen(version) || this.#clock.monotonicMs() < last.retryAtMs) return
    const opening = this.#attempt(version, last)
    this.#attempts.set(name, { ...last, opening })
    await opening
  }

  isOpen(version: KeyVersion): boolean {
    const opened = this.get(version)
    return opened !== undefined && !(opened instanceof ServiceError)
  }

  /** Looks once more at a version that is open: its vault proves again that it can only sign. Never rejects. */
  async inspect(version: KeyVersion): Promise<Inspection> {
    return inspectionOf(await this.#try(version))
  }

  /** A version that has changed signs no more in this process; as what cannot be opened it is tried again. */
  close(version: KeyVersion, error: ServiceError): void {
    if (!this.isOpen(version)) return
    const retryAtMs = this.#clock.monotonicMs() + firstPauseMs
    const closed = { opened: error, opening: undefined, retryAtMs, pauseMs: firstPauseMs }
    this.#attempts.set(nameOf(version), closed)
  }

  /** Forgets all others. */
  keep(versions: readonly KeyVersion[]): void {
    const kept = new Set(versions.map(nameOf))
    for (const name of this.#attempts.keys()) if (!kept.has(name)) this.#attempts.delete(name)
  }

  async #attempt(version: KeyVersion, last: Attempt): Promise<void> {
    const name = nameOf(version)
    const opened = await this.#try(version)
    if (opened instanceof ServiceError) {
      const retryAtMs = this.#clock.monotonicMs() + last.pauseMs
      const pauseMs = Math.min(pauseMsMax, last.pauseMs * 2 || firstPauseMs)
      this.#attempts.set(name, { opened, opening: undefined, retryAtMs, pauseMs })
      // Said once for each reason.
      const isNew = !(last.opened instanceof ServiceError) || last.opened.code !== opened.code
      if (isNew) this.#log.error('version cannot be opened', opened, { version: name })
    } else {
      this.#attempts.set(name, { ...neverTried, opened })
      this.#log.info('version opened', { version: name })
    }
  }

  async #try(version: KeyVersion): Promise<Opened> {
    using limit = deadline(openingMs)
    const { signal } = limit
    try {
      return await within(this.#open(version, signal), signal)
    } catch (error) {
      return toServiceError(error)
    }
  }

  async #open(version: KeyVersion, signal: AbortSignal): Promise<SigningKey> {
    const vault = this.#vaults.get(version.vault)
    if (!vault) throw new ServiceError('vault_unavailable', 'The vault is not configured')
    const signer = await vault.open(version, signal)
    const row = algorithm(version.algorithm)
    if (row.kty === 'oct') {
      await assertKnownAnswer(signer, row, version.knownAnswer, signal)
      return { signer, algorithm: row, publicKey: undefined }
    }
    const spki = await signer.publicKey(signal)
    if (!spki || !version.spki || !equalBytes(spki, version.spki)) {
      throw new ServiceError('vault_key_unusable', 'The vault holds another key than was recorded')
    }
    const publicKey = publicKeyFromSpki(spki)
    assertFits(publicKey.object, row)
    return { signer, algorithm: row, publicKey }
  }
}

function nameOf({ key, n }: KeyVersion): string {
  return versionName(key, n)
}
