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
  /** A human named this key: a version that has ended, as by a revocation, may be replaced. */
  readonly isNamed: boolean
}

export type Step =
  /** Reserve a number, write the intent, ask the vault for a key pair. */
  | { readonly kind: 'generate' }
  /** A run ended after its intent: adopt what the vault made for it, or ask again. */
  | { readonly kind: 'resume'; readonly id: string; readonly n: number }
  | { readonly kind: 'activate'; readonly version: KeyVersion }
  | { readonly kind: 'done' }

/**
 * The one next thing to do for a key; pure. A key without a registry needs no publication: its first
 * version signs as soon as it is there. What was revoked is replaced only when a human names the key:
 * a job on a timer would undo the decision within a minute.
 */
export function nextStep({ versions, openIntent, source, isNamed }: KeyFacts): Step {
  if (openIntent) return { kind: 'resume', ...openIntent }
  if (versions.some(({ state }) => state === 'active')) return { kind: 'done' }
  const waiting = versions.findLast(({ state }) => state === 'created' || state === 'published')
  if (waiting) return { kind: 'activate', version: waiting }
  if (source === 'imported') return { kind: 'done' } // somebody else makes its versions
  const everSigned = versions.some(({ activatedAt }) => activatedAt !== undefined)
  return everSigned && !isNamed ? { kind: 'done' } : { kind: 'generate' }
}
