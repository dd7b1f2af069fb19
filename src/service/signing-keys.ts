import { ServiceError } from '../errors.ts'
import { isVisible, mayBeSwitchedTo } from '../keys/lifecycle.ts'
import type { KeyVersion } from '../keys/version.ts'
import type { Clock } from '../lib/clock.ts'
import { deadline, within } from '../lib/deadline.ts'
import type { Logger } from '../lib/log.ts'
import { fingerprints, type Fingerprints } from '../signing/fingerprint.ts'
import { publicKeyFromSpki } from '../signing/public-key.ts'
import type { SigningKey } from '../signing/sign.ts'
import type { Vault } from '../signing/signer.ts'
import { type Inspection, OpenedVersions } from './opened-versions.ts'
import type { VersionChoice } from './prepare.ts'
import { type FoundProofs, Proofs } from './proofs.ts'
import { isActive, signingVersion, versionNamed } from './version-choice.ts'

/** Of the store alone. */
const readingMs = 10_000

export type Snapshot = { readonly revision: number; readonly versions: readonly KeyVersion[] }

/** What was read from the store, and the vaults that hold what it names. */
export type SigningKeysSources = {
  /** Undefined when nothing has changed since `revision`. */
  readonly snapshot: (revision: number | undefined) => Promise<Snapshot | undefined>
  readonly vaults: ReadonlyMap<string, Vault>
  readonly clock: Clock
  readonly log: Logger
}

/**
 * The versions as last read. They choose the signing version; the audit's transaction permits it.
 * Opening is begun when a version appears, and never by a request.
 */
export class SigningKeys implements VersionChoice {
  readonly #sources: SigningKeysSources
  #revision: number | undefined
  /** Of every state, oldest first. */
  readonly #versions = new Map<string, readonly KeyVersion[]>()
  /** As the store has them; a key's go into `#versions` once they can be chosen. */
  #latest: ReadonlyMap<string, readonly KeyVersion[]> = new Map()
  #settling: ReadonlyMap<string, Promise<void>> = new Map()
  readonly #opened: OpenedVersions
  readonly #proofs: Proofs
  readonly #fingerprints = new WeakMap<KeyVersion, Partial<Fingerprints>>()
  #reading: Promise<void> | undefined
  #nextReading: Promise<void> | undefined

  constructor(sources: SigningKeysSources) {
    this.#sources = sources
    this.#opened = new OpenedVersions(sources)
    this.#proofs = new Proofs(this.#opened, sources)
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
    const opened = this.#opened.get(version)
    if (!opened) throw new TypeError(`${key}@${version.n} signs and was never opened`)
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

  /** Of every key and state, as last read. */
  get versions(): readonly KeyVersion[] {
    return [...this.#latest.values()].flat()
  }

  /** How many keys have a version that signs; readiness needs one. */
  get activeCount(): number {
    return this.#keysWith(isActive)
  }

  /** How many of these could be opened in their vault. */
  get usableCount(): number {
    return this.#keysWith(
      (version) => isActive(version) && !(this.#opened.get(version) instanceof ServiceError),
    )
  }

  /** Whether this process could sign with the versions that may become active. */
  get proofs(): FoundProofs {
    return this.#proofs.found
  }

  /** Those that sign, or may be switched to, and could be opened. */
  get openVersions(): readonly KeyVersion[] {
    return this.versions.filter((version) => isToOpen(version) && this.#opened.isOpen(version))
  }

  /** Asks the vault once more what an open version can do. */
  inspect(version: KeyVersion): Promise<Inspection> {
    return this.#opened.inspect(version)
  }

  /** A version that has changed signs no more here, until it can be opened again. */
  close(version: KeyVersion, error: ServiceError): void {
    this.#opened.close(version, error)
  }

  #keysWith(is: (version: KeyVersion) => boolean): number {
    return [...this.#versions.values()].filter((versions) => versions.some(is)).length
  }

  /**
   * Reads what has changed, and opens what is new. Concurrent calls share a reading; a call that comes
   * while one is under way may know of a later change, and shares the next one.
   *
   * @param signal how long this caller waits.
   * @param key whose versions it waits for; without one for those of all, however slow their vaults.
   */
  async reload(signal: AbortSignal, key?: string): Promise<void> {
    await this.refresh(signal)
    const settling =
      key === undefined ? Promise.all(this.#settling.values()) : this.#settling.get(key)
    await within(Promise.resolve(settling), signal)
  }

  /** As `reload`, without waiting for any vault: what is new counts once it has been opened. */
  refresh(signal: AbortSignal): Promise<void> {
    if (this.#reading) this.#nextReading ??= this.#readAfter(this.#reading)
    return within(this.#nextReading ?? this.#startReading(), signal)
  }

  #startReading(): Promise<void> {
    this.#reading = this.#read().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  async #readAfter(reading: Promise<void>): Promise<void> {
    await reading.catch(() => {}) // told to those who share it
    this.#nextReading = undefined
    return this.#startReading()
  }

  async #read(): Promise<void> {
    using limit = deadline(readingMs)
    const snapshot = await within(this.#sources.snapshot(this.#revision), limit.signal)
    if (snapshot) {
      this.#latest = Map.groupBy(snapshot.versions, ({ key }) => key)
      this.#revision = snapshot.revision
      for (const key of this.#versions.keys())
        if (!this.#latest.has(key)) this.#versions.delete(key)
    }
    this.#settling = new Map(
      [...this.#latest].map(([key, versions]) => [key, this.#settle(key, versions)]),
    )
    if (snapshot) void this.#forgetOthers()
    // Nobody waits for these: they sign nothing yet.
    void this.#proofs.prove(this.versions.filter(isToProve))
  }

  /** A key's new versions count when they have been opened, or could not be: until then the old ones do. */
  async #settle(key: string, versions: readonly KeyVersion[]): Promise<void> {
    await Promise.all(versions.filter(isActive).map((version) => this.#opened.open(version)))
    if (this.#latest.get(key) !== versions || this.#versions.get(key) === versions) return
    this.#versions.set(key, versions)
  }

  /** Once for all keys, when each has its new versions: for each of them it would be a square of their number. */
  async #forgetOthers(): Promise<void> {
    await Promise.all(this.#settling.values())
    const known = [...this.#versions.values(), ...this.#latest.values()].flat()
    this.#opened.keep(known.filter(isToOpen))
  }
}

function isToOpen(version: KeyVersion): boolean {
  return isActive(version) || isToProve(version)
}

function isToProve({ state }: KeyVersion): boolean {
  return mayBeSwitchedTo(state)
}
