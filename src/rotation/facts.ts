import type { Source } from '../keys/key.ts'
import type { RotationPolicy } from '../keys/rotation-policy.ts'
import type { KeyVersion } from '../keys/version.ts'
import type { AskedRotation } from '../store/rotations.ts'

/** All that the decision depends on. Instants are epoch milliseconds. */
export type KeyFacts = {
  /** Every version there ever was, oldest first. */
  readonly versions: readonly KeyVersion[]
  /** A generation whose end is not known. */
  readonly openIntent: { readonly id: string; readonly n: number } | undefined
  /** Versions that a registry was to be told of, and nobody wrote down whether it was. */
  readonly publishing: ReadonlySet<number>
  /** Where new versions come from. */
  readonly source: Source
  readonly policy: RotationPolicy
  readonly registry: RegistryState
  /** One; two where each token names its version. */
  readonly activeMax: number
  /** What somebody asked for before it was due. */
  readonly asked: AskedRotation | undefined
  /** Versions that may not sign for now, by their own flag, the key's or everybody's. */
  readonly suspended: ReadonlySet<number>
  /** By version: the live processes that have not proved that they can use it. */
  readonly unproved: ReadonlyMap<number, readonly string[]>
  /** A human answers for it that a version is switched to without those proofs. */
  readonly isForced: boolean
  /** Of a provisioned key: what its catalogue says; undefined for other keys. */
  readonly provisioned: ProvisionedFacts | undefined
  /** What did not work in this run, `kind n`: it keeps nothing else from being done. */
  readonly failed: ReadonlySet<string>
}

export type ProvisionedFacts = {
  /** Versions whose generation is enabled: no other may be promoted. */
  readonly enabled: ReadonlySet<number>
  /** The one to sign first, where a key begins with several. */
  readonly initial: number | undefined
}

/** Who has to know the public half before it signs. */
export type RegistryState =
  | { readonly kind: 'none' }
  /** A human tells it; the import of a version is its publication. */
  | { readonly kind: 'manual' }
  | {
      readonly kind: 'app'
      readonly slots: number | undefined
      /** What it has; undefined as long as nobody has looked. */
      readonly seen: SeenRegistry | undefined
    }
export type AppRegistryState = Extract<RegistryState, { kind: 'app' }>

export type SeenRegistry = {
  readonly keys: readonly SeenKey[]
  /** How long a verifier may go on with what it has. */
  readonly propagationMs: number
}

/** A key that a registry has, and `key@n` where it is a version of ours, of whatever key. */
export type SeenKey = {
  readonly kid: string
  readonly version: string | undefined
  /** Undefined where the registry does not tell, or it was never used. */
  readonly lastUsedAt: number | undefined
}

export type Step =
  /** Reserve a number, write the intent, ask the vault for a key pair. */
  | { readonly kind: 'generate' }
  /** A run ended after its intent: adopt what the vault made for it, or ask again. */
  | { readonly kind: 'resume'; readonly id: string; readonly n: number }
  /** Ask the registry what it has: the next step depends on it. */
  | { readonly kind: 'look' }
  /** Tell the registry of a version, and read it back. */
  | { readonly kind: 'publish'; readonly version: KeyVersion }
  /** Let a version sign, and in the same moment another one no more. */
  | {
      readonly kind: 'activate'
      readonly version: KeyVersion
      readonly retires: KeyVersion | undefined
    }
  /** Have the registry forget a version that has ended, or whose overlap has. */
  | {
      readonly kind: 'withdraw'
      readonly version: KeyVersion
      /** Because its overlap is over; else because it was revoked or cut off, whatever the time is. */
      readonly isTimed: boolean
    }
  /** The overlap of a version that nobody was told of is over. */
  | { readonly kind: 'retire'; readonly version: KeyVersion }
  /** Have the vault stop signing with a version that has ended. */
  | { readonly kind: 'disable'; readonly version: KeyVersion }
  | { readonly kind: 'wait'; readonly wait: Wait }
  /** Only a human can do it. */
  | { readonly kind: 'task'; readonly task: Task }
  /** Nothing, until then. */
  | { readonly kind: 'done'; readonly dueAt: number | undefined }

/** What is left once the registry has been looked at, and of that what somebody has to do. */
export type DecidedStep = Exclude<Step, { kind: 'look' }>
export type DueStep = Exclude<DecidedStep, { kind: 'done' | 'wait' | 'task' }>

/** Versions are named `key@n`. */
export type Wait =
  /** Who takes the slots is for a human to see, and no job removes a key that is none of ours. */
  | {
      readonly kind: 'slots'
      readonly slots: number
      readonly unknownKids: readonly string[]
      /** Versions of ours that take a slot, until they are withdrawn. */
      readonly versions: readonly string[]
    }
  /** Verifiers may not see it yet. */
  | { readonly kind: 'propagation'; readonly version: string; readonly until: number }
  /** Processes that sign have not shown that they can use it. */
  | { readonly kind: 'proof'; readonly version: string; readonly processes: readonly string[] }
  | { readonly kind: 'suspended'; readonly version: string }
  /** Its last tokens may still be looked at. */
  | { readonly kind: 'overlap'; readonly version: string; readonly until: number }
  /** Its registry says that it was used not long ago. */
  | { readonly kind: 'used'; readonly version: string; readonly until: number }

export type Task =
  /** Somebody else makes the key's versions, and the next one is due. */
  | { readonly kind: 'import' }
  /** A human compares it with what its registry shows, and says so. */
  | { readonly kind: 'confirm'; readonly version: string }
  /** Its catalogue has no generation to go on with. */
  | { readonly kind: 'provision'; readonly isDue: boolean }
  /** A human takes it away from where a human put it, and says so. */
  | {
      readonly kind: 'delete'
      readonly version: string
      /** Cannot sign before the other is gone, which signs until then; undefined for one that signs no more. */
      readonly next: string | undefined
    }
