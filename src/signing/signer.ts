import type { KeyObject } from 'node:crypto'
import type { Bytes } from '../lib/bytes.ts'
import type { Algorithm, AlgorithmName } from './algorithms.ts'

export type SigningInput =
  /** Both are computed by the core: some vaults sign only digests, some algorithms only messages. */
  | {
      readonly message: Uint8Array
      /** The algorithm's hash of the message; none for Ed25519, which hashes inside. */
      readonly digest: Bytes | undefined
    }
  /** A caller's own digest, as long as the algorithm's hash is: nobody here has the message. */
  | { readonly message: undefined; readonly digest: Bytes }

/** How the key came to be where it is, as its vault attests it (DESIGN §1). */
export const custodies = [
  'hsm-generated',
  'hsm-imported',
  'kms-generated',
  'kms-imported',
  'software',
] as const
export type Custody = (typeof custodies)[number]

/** Told what the vault itself calls the request: by it the vault's own log is compared with our audit. */
export type RequestNote = (vaultRequest: string) => void

/** One key version in one vault, pinned when it was opened: the port that makes a provider. */
export interface Signer {
  /** One vault request, made when the version is opened. DER SubjectPublicKeyInfo; none for HMAC. */
  publicKey(signal: AbortSignal): Promise<Bytes | undefined>

  /**
   * One billable vault request, never retried in here: check everything you can before calling.
   *
   * @returns JOSE form: ECDSA is r || s (RFC 7518 §3.4), RSA, Ed25519 and HMAC as they are.
   * @throws {ServiceError} `vault_*` or `overloaded`, with the vendor's error as `cause`;
   *   `vault_key_unusable` for a digest alone where it needs the message.
   */
  sign(
    input: SigningInput,
    algorithm: Algorithm,
    signal: AbortSignal,
    note?: RequestNote,
  ): Promise<Bytes>
}

/** Where a signature counts among the vault's quotas, and how much. */
export type QuotaShare = {
  /** Of those that the vault counts apart. */
  readonly pool: string
  /** In the vault's own units: the cheapest kind of key is 1. */
  readonly units: number
  /** What the vault gives, in these units, unless it was asked for more; undefined where nobody counts. */
  readonly perSecond: number | undefined
}

/**
 * The cause of a `vault_denied` that another try can cure: the vault did not take a credential, which has
 * been replaced since. A provider does not try again by itself, since tries are counted above it.
 */
export class ReplacedCredential extends Error {
  override readonly name = 'ReplacedCredential'
}

/** A version as its vault found it. */
export interface OpenedSigner extends Signer {
  readonly custody: Custody
  /** None where the vault counts nothing. */
  readonly quota?: QuotaShare
  /**
   * What it was pinned to, where that is not what was asked for: a catalogue may name a key without its
   * version. The store keeps this one, so that `serve` opens no other.
   */
  readonly resource?: string
}

/** What `open` is told: where the version lives and what it must turn out to be. */
export type VersionReference = {
  readonly resource: string
  readonly algorithm: AlgorithmName
}

/** One configured vault as `serve` sees it: it opens what exists and can do nothing else. */
export interface Vault {
  /**
   * Proves from the vault's own attributes that the version can only sign, and pins it.
   *
   * @throws {ServiceError} `vault_key_unusable` for a key that is missing, damaged, of another
   *   algorithm, or able to do more than sign; else `vault_*`.
   */
  open(version: VersionReference, signal: AbortSignal): Promise<OpenedSigner>
}

export type GenerateRequest = {
  /** Billed, and not idempotent: the tag by which a repeat after a crash finds the first result. */
  readonly intentId: string
  /** The version's name, `key@n`: for people who look into the vault. */
  readonly name: string
  readonly algorithm: AlgorithmName
  /** RSA only. */
  readonly modulusBits: number | undefined
}

/** What is looked for in a vault: what an earlier request has left behind. */
export type Sought = {
  readonly intentId: string
  /** As in the request: a vault that keeps its keys by name has it under this one alone. */
  readonly name: string
}

/**
 * Awaited before each part of a search: a vault that cannot be asked for an intent has as many as it has
 * keys. What it throws ends the search.
 */
export type GoOn = () => Promise<void>

/** Optional, and apart so that signing cannot create: `serve` is composed without one. */
export interface KeyGenerator {
  /**
   * @returns the new version's `resource`.
   * @throws {ServiceError} `vault_*`; whether a key was made is then unknown until `find` says.
   */
  generate(request: GenerateRequest, signal: AbortSignal): Promise<string>

  /**
   * Every resource that bears this intent, the eldest first, as the vault lists them now: what an earlier
   * `generate` left behind, and what somebody has copied its tag to. May outlast any other call.
   *
   * @throws {ServiceError} `vault_*`; what `goOn` threw; the signal's reason.
   */
  find(sought: Sought, signal: AbortSignal, goOn: GoOn): Promise<readonly string[]>

  /** How long after `generate` a key may not be listed yet: nothing found before is no answer. */
  readonly settleMs: number
}

export type ImportRequest = {
  /** The tag by which a repeat after a crash finds the first result. */
  readonly intentId: string
  /** The version's name, `key@n`: for people who look into the vault. */
  readonly name: string
  readonly algorithm: AlgorithmName
  /** A private key, or an HMAC secret within `secretLimits`; it leaves the process wrapped for the vault alone. */
  readonly material: KeyObject
}

/** What an earlier `import` left behind. */
export type FoundImport = {
  readonly resource: string
  /**
   * Puts the material into a key that was made for it and has none yet; undefined for one that has.
   *
   * @throws {ServiceError} `vault_*`.
   */
  readonly fill: ((request: ImportRequest, signal: AbortSignal) => Promise<void>) | undefined
}

/** HMAC secrets that a vault takes; RFC 2104 §2 says how shorter and longer ones become equal ones. */
export type SecretLimits = { readonly bytesMin: number; readonly bytesMax: number }

/** Optional, and for the `import` command alone: takes a key that somebody else made. */
export interface KeyImporter {
  /**
   * Why the vault cannot take such a key, in words for an operator; undefined when it can. Asks nobody:
   * it is known before anything is uploaded.
   */
  refusal(algorithm: AlgorithmName, modulusBits: number | undefined): string | undefined

  /** Undefined where the vault takes no HMAC secret for this algorithm. */
  secretLimits(algorithm: AlgorithmName): SecretLimits | undefined

  /**
   * Wraps the material here, for this vault; always a new key, since material is never replaced. Whoever
   * does not know the end of an earlier try with the same intent asks `find` first.
   *
   * @returns the new version's `resource`.
   * @throws {ServiceError} `vault_*`; whether a key was made is then unknown until `find` says.
   */
  import(request: ImportRequest, signal: AbortSignal): Promise<string>

  /** Everything that bears this intent, as of a `KeyGenerator`. */
  find(sought: Sought, signal: AbortSignal, goOn: GoOn): Promise<readonly FoundImport[]>

  /** As of a `KeyGenerator`. */
  readonly settleMs: number
}

/** Optional: the second line of a revocation, behind the store's. Never deletes. */
export interface KeyDisabler {
  /** Idempotent: what is disabled already, or gone, is a success. @throws {ServiceError} `vault_*`. */
  disable(resource: string, signal: AbortSignal): Promise<void>
}
