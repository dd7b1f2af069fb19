import type { Key } from '../keys/key.ts'
import type { KeyVersion } from '../keys/version.ts'
import type { RotationPolicy } from '../keys/rotation-policy.ts'
import type { Clock } from '../lib/clock.ts'
import type { ClockWatch } from '../lib/clock-watch.ts'
import type { UlidSource } from '../lib/ulid.ts'
import type { Registry } from '../registry/registry.ts'
import type { KeyDisabler, KeyGenerator, Vault } from '../signing/signer.ts'
import type { Store } from '../store/store.ts'

/** What a run of the job is asked to do. */
export type Asked = {
  /** The keys were named on the command line, not just due. */
  readonly isNamed: boolean
  /** Before it is due, with every wait: `overlap`, or without that one. */
  readonly now: 'no' | 'with overlap' | 'without overlap'
  /** A human answers for it that a version is switched to without its proofs. */
  readonly isForced: boolean
}

/** What a decision is made from. */
export type DecisionDeps = {
  readonly store: Store
  readonly policyOf: (key: Key) => RotationPolicy
  /** Undefined for a key that nobody has to know. */
  readonly registryOf: (key: Key) => Registry | undefined
  readonly provisionedOf: (key: Key) => ProvisionedGenerations | undefined
  readonly clock: Clock
  /** What others say of that clock. */
  readonly clocks: Pick<ClockWatch, 'assertRight'>
  readonly asked: Asked
}

/** Terraform's word on a key's generations, by name. */
export type ProvisionedGenerations = {
  readonly enabled: ReadonlySet<string>
  readonly initial: string | undefined
}

export type RotationDeps = DecisionDeps & {
  readonly vaultOf: (key: Key) => Vault
  readonly generatorOf: (key: Key) => KeyGenerator
  /** Of a vault; opened when it is needed. */
  readonly disablerOf: (vault: string) => Promise<KeyDisabler>
  /**
   * Has the vault of a version answer something, so that `clocks` know its time where nothing else asks it.
   * Never rejects: a vault that is down says nothing.
   */
  readonly hearVaultOf: (version: KeyVersion, signal: AbortSignal) => Promise<void>
  readonly newId: UlidSource
  readonly actor: string
}

/** What a tick did, for people. */
export type Done = {
  /** `key@n` */
  readonly version: string
  readonly step:
    | 'adopted'
    | 'generated'
    | 'published'
    | 'activated'
    | 'retiring'
    | 'withdrawn'
    | 'retired'
    | 'disabled'
}

/** What did not work and stops nothing else: it may wait for a registry or a vault that is down. */
export type Deed = {
  /** `key@n` */
  readonly version: string
  readonly step: 'withdraw' | 'disable'
}
