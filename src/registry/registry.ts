import type { AlgorithmName } from '../signing/algorithms.ts'
import type { PublicKey } from '../signing/public-key.ts'

/** A public key, as a place that must know it is told of it. */
export type Registration = {
  /** What verifiers will see. */
  readonly kid: string
  readonly algorithm: AlgorithmName
  readonly publicKey: PublicKey
}

/** What a human has to do, since a registry has no way in for programs. */
export type RegistryTask = { readonly steps: readonly string[]; readonly url: string }

export type RegistryOutcome =
  | { readonly verdict: 'done' }
  | { readonly verdict: 'pending'; readonly task: RegistryTask }

/** A key that a registry has, whoever put it there. */
export type RegisteredKey = {
  readonly kid: string
  /** `contentful`, of the key that stands there under this id; undefined where it cannot be read. */
  readonly fingerprint: string | undefined
  /** Epoch milliseconds; undefined where the registry does not tell, or it was never used. */
  readonly lastUsedAt: number | undefined
}

/** One app of a place that must know our public keys (DESIGN §8). */
export interface Registry {
  readonly facts: RegistryFacts

  /**
   * Looks first, writes once, reads back: a key that is already there is done.
   *
   * @throws {ServiceError} `registry_unavailable` when it may work later, `registry_denied` for a
   *   credential that may not, `registry_refused` for what will never work.
   */
  publish(registration: Registration, signal: AbortSignal): Promise<RegistryOutcome>

  /** Takes a key away; one that is not there is done. @throws {ServiceError} as `publish`. */
  withdraw(registration: Registration, signal: AbortSignal): Promise<RegistryOutcome>

  /** Where a registry can be asked: what it has. @throws {ServiceError} as `publish`. */
  readonly list: ((signal: AbortSignal) => Promise<readonly RegisteredKey[]>) | undefined

  /**
   * Where a registry says it: how long a verifier may go on with the keys that it has seen.
   *
   * @returns milliseconds. @throws {ServiceError} `registry_unavailable`.
   */
  readonly propagationMs: ((signal: AbortSignal) => Promise<number>) | undefined
}

/** What is known of a registry in advance. */
export type RegistryFacts = {
  /** How many keys an app may have; undefined where there is no bound. */
  readonly slots: number | undefined
  /** How many must stay: the last ones cannot be withdrawn. */
  readonly keysMin: number
  /** A key pair serves one app only. */
  readonly isKeyPairUnique: boolean
  /** From the read-back until every verifier may have seen a key; at least. */
  readonly propagationMsMin: number
}

/** The registries that a human looks after. */
export const manualSystems = ['github', 'icr'] as const
export type ManualSystem = (typeof manualSystems)[number]

/**
 * Slots and rules, from: contentful (the embedded registry has its shape)
 * https://www.contentful.com/developers/docs/extensibility/app-framework/app-keys/
 * github https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/managing-private-keys-for-github-apps
 * and the International Carbon Registry's documentation for its apps.
 */
export const registryFacts: Record<'contentful' | 'embedded' | ManualSystem, RegistryFacts> = {
  contentful: { slots: 3, keysMin: 0, isKeyPairUnique: true, propagationMsMin: 0 },
  embedded: { slots: 3, keysMin: 0, isKeyPairUnique: true, propagationMsMin: 0 },
  github: { slots: 25, keysMin: 1, isKeyPairUnique: false, propagationMsMin: 0 },
  icr: { slots: undefined, keysMin: 1, isKeyPairUnique: false, propagationMsMin: 0 },
}
