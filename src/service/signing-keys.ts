import { ServiceError, toServiceError } from '../errors.ts'
import { isVisible } from '../keys/lifecycle.ts'
import { assertKnownAnswer } from '../keys/known-answer.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import { equalBytes } from '../lib/bytes.ts'
import { deadline, within } from '../lib/deadline.ts'
import type { Logger } from '../lib/log.ts'
import { algorithm } from '../signing/algorithms.ts'
import { fingerprints, type Fingerprints } from '../signing/fingerprint.ts'
import { assertFits, publicKeyFromSpki } from '../signing/public-key.ts'
import type { SigningKey } from '../signing/sign.ts'
import type { Vault } from '../signing/signer.ts'
import type { VersionChoice } from './prepare.ts'
import { isActive, signingVersion, versionNamed } from './version-choice.ts'

/** Reading the store and opening every new version, from vaults that have deadlines of their own. */
const readingMs = 10_000

export type Snapshot = { readonly revision: number; readonly versions: readonly KeyVersion[] }

/** What was read from the store, and the vaults that hold what it names. */
export type SigningKeysSources = {
  /** Undefined when nothing has changed since `revision`. */
  readonly snapshot: (revision: number | undefined) => Promise<Snapshot | undefined>
  readonly vaults: ReadonlyMap<string, Vault>
  readonly log: Logger
}

/**
 * The versions as last read. They choose the signing version; the audit's transaction permits it.
 * Opening is done here, when a version appears, and never in a request.
 */
export class SigningKeys implements VersionChoice {
  readonly #sources: SigningKeysSources
  #revision: number | undefined
  /** Of every state, oldest first. */
  #versions: ReadonlyMap<string, readonly KeyVersion[]> = new Map()
  /** By `key@n`: the versions that sign, opened, or why they cannot be. */
  #opened: ReadonlyMap<string, SigningKey | ServiceError> = new Map()
  readonly #fingerprints = new WeakMap<KeyVersion, Partial<Fingerprints>>()
  #reading: Promise<void> | undefined
  #nextReading: Promise<void> | undefined

  constructor(sources: SigningKeysSources) {
    this.#sources = sources
  }

  /**
   * The version that signs: the latest, or the one with a kid.
   *
   * @throws {ServiceError} `no_active_version`, `version_revoked`, `version_not_active`, or what keeps
   *   the version from being used.
   */
  active(
    key: string,
    kid?: string,
  ): { readonly version: KeyVersion; readonly signingKey: SigningKey } {
    const version = signingVersion(this.#of(key), kid)
    const opened = this.#opened.get(nameOf(version))
    if (!opened) throw new TypeError(`${nameOf(version)} signs and was never opened`)
    if (opened instanceof ServiceError) throw opened
    return { version, signingKey: opened }
  }

  activeKid(key: string): string | undefined {
    return this.#of(key).findLast(isActive)?.kid
  }

  versionNamed(key: string, kid: string): KeyVersion | undefined {
    return versionNamed(this.#of(key), kid)
  }

  #of(key: string): readonly KeyVersion[] {
    return this.#versions.get(key) ?? []
  }

  /** Published, active and retiring versions, oldest first. */
  visible(key: string): readonly KeyVersion[] {
    return this.#of(key).filter(({ state }) => isVisible(state))
  }

  /** Facts of a version never change, and digests of its key cost half a millisecond: made once. */
  fingerprintsOf(version: KeyVersion): Partial<Fingerprints> {
    const known = this.#fingerprints.get(version)
    if (known) return known
    const made = version.spki ? fingerprints(publicKeyFromSpki(version.spki)) : {}
    this.#fingerprints.set(version, made)
    return made
  }

  /** How many keys have a version that signs; readiness needs one. */
  get activeCount(): number {
    return this.#keysWith(isActive)
  }

  /** How many of these could be opened in their vault. */
  get usableCount(): number {
    return this.#keysWith(
      (version) =>
        isActive(version) && !(this.#opened.get(nameOf(version)) instanceof ServiceError),
    )
  }

  #keysWith(is: (version: KeyVersion) => boolean): number {
    return [...this.#versions.values()].filter((versions) => versions.some(is)).length
  }

  /**
   * Reads what has changed, and opens what is new. Concurrent calls share a reading, so it has a
   * bound of its own; a call that comes while one is under way may know of a later change, and
   * shares the next one.
   *
   * @param signal how long this caller waits.
   */
  reload(signal: AbortSignal): Promise<void> {
    if (this.#reading) this.#nextReading ??= this.#readAfter(this.#reading)
    return within(this.#nextReading ?? this.#read(), signal)
  }

  #read(): Promise<void> {
    this.#reading = this.#reload().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  async #readAfter(reading: Promise<void>): Promise<void> {
    await reading.catch(() => {}) // told to those who share it
    this.#nextReading = undefined
    return this.#read()
  }

  async #reload(): Promise<void> {
    using limit = deadline(readingMs)
    const { signal } = limit
    const snapshot = await this.#sources.snapshot(this.#revision)
    const versions = snapshot?.versions ?? [...this.#versions.values()].flat()
    const opened = await Promise.all(
      versions
        .filter(isActive)
        .map(async (version) => [nameOf(version), await this.#activate(version, signal)] as const),
    )
    this.#opened = new Map(opened)
    this.#versions = Map.groupBy(versions, ({ key }) => key)
    this.#revision = snapshot?.revision ?? this.#revision
  }

  /** What is open stays open; what could not be opened is tried again. */
  async #activate(version: KeyVersion, signal: AbortSignal): Promise<SigningKey | ServiceError> {
    const name = nameOf(version)
    const known = this.#opened.get(name)
    if (known && !(known instanceof ServiceError)) return known
    try {
      const opened = await this.#open(version, signal)
      this.#sources.log.info('version opened', { version: name })
      return opened
    } catch (error) {
      const failure = toServiceError(error)
      // Said once: it is tried again with every reload.
      if (known?.code !== failure.code) {
        this.#sources.log.error('version cannot be opened', error, { version: name })
      }
      return failure
    }
  }

  async #open(version: KeyVersion, signal: AbortSignal): Promise<SigningKey> {
    const vault = this.#sources.vaults.get(version.vault)
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
