import type { Source } from '../keys/key.ts'
import type { KeyVersion } from '../keys/version.ts'

/** All that the decision depends on. */
export type KeyFacts = {
  /** Every version there ever was, oldest first. */
  readonly versions: readonly KeyVersion[]
  /** A generation whose end is not known. */
  readonly openIntent: { readonly id: string; readonly n: number } | undefined
  /** Where new versions come from. */
  readonly source: Source
  readonly registry: RegistryState
  /** A human named this key: a version that has ended, as by a revocation, may be replaced. */
  readonly isNamed: boolean
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
      readonly registered: readonly SeenKey[] | undefined
    }

/** A key that a registry has, and `key@n` where it is a version of ours, of whatever key. */
export type SeenKey = { readonly kid: string; readonly version: string | undefined }

export type Step =
  /** Reserve a number, write the intent, ask the vault for a key pair. */
  | { readonly kind: 'generate' }
  /** A run ended after its intent: adopt what the vault made for it, or ask again. */
  | { readonly kind: 'resume'; readonly id: string; readonly n: number }
  /** Ask the registry what it has: the next step depends on it. */
  | { readonly kind: 'look' }
  /** Tell the registry of a version, and read it back. */
  | { readonly kind: 'publish'; readonly version: KeyVersion }
  | { readonly kind: 'activate'; readonly version: KeyVersion }
  | { readonly kind: 'wait'; readonly wait: Wait }
  | { readonly kind: 'done' }

/** What is left once the registry has been looked at, and of that what somebody has to do. */
export type DecidedStep = Exclude<Step, { kind: 'look' }>
export type DueStep = Exclude<DecidedStep, { kind: 'done' } | { kind: 'wait' }>

/** Nothing that a job may do: who takes the slots is for a human to see. */
export type Wait = {
  readonly kind: 'slots'
  readonly slots: number
  readonly unknownKids: readonly string[]
  /** Versions of ours that take a slot, as those that have ended do until they are withdrawn. */
  readonly versions: readonly string[]
}

/**
 * The one next thing to do for a key; pure. A key without a registry needs no publication: its first
 * version signs as soon as it is there. What was revoked is replaced only when a human names the key:
 * a job on a timer would undo the decision within a minute.
 */
export function nextStep(facts: KeyFacts): Step {
  const { versions, openIntent, source, isNamed } = facts
  if (openIntent) return { kind: 'resume', ...openIntent }
  if (versions.some(({ state }) => state === 'active')) return { kind: 'done' }
  const waiting = versions.findLast(({ state }) => state === 'created' || state === 'published')
  if (waiting) return towardsSigning(waiting, facts)
  if (source === 'imported') return { kind: 'done' } // somebody else makes its versions
  const everSigned = versions.some(({ activatedAt }) => activatedAt !== undefined)
  if (everSigned && !isNamed) return { kind: 'done' }
  return needsSlot(undefined, facts) ?? { kind: 'generate' }
}

/** Publish, then sign: a verifier must be able to know a key before anything is signed by it. */
function towardsSigning(version: KeyVersion, facts: KeyFacts): Step {
  if (version.state === 'published' || facts.registry.kind !== 'app') {
    return { kind: 'activate', version }
  }
  return needsSlot(version, facts) ?? { kind: 'publish', version }
}

/** Before a key is made, not after: whether its registry has room, or has it already. */
function needsSlot(version: KeyVersion | undefined, { registry }: KeyFacts): Step | undefined {
  if (registry.kind !== 'app') return undefined
  const { slots, registered } = registry
  if (!registered) return { kind: 'look' }
  const isThere = registered.some(({ kid }) => kid === version?.kid)
  if (isThere || slots === undefined || registered.length < slots) return undefined
  const unknownKids = registered.filter((key) => key.version === undefined).map(({ kid }) => kid)
  const versions = registered.flatMap((key) => key.version ?? [])
  return { kind: 'wait', wait: { kind: 'slots', slots, unknownKids, versions } }
}
