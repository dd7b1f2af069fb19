import type { Key } from '../keys/key.ts'
import { overlapMarginMs, type RotationPolicy } from '../keys/rotation-policy.ts'
import type { Grant } from '../policy/grant.ts'
import type { Complaints } from './complaints.ts'
import type { RotationEntry } from './schema.ts'

const overlapMsUsual = 7 * 24 * 3_600_000
const propagationMsUsual = 5 * 60_000

/** How each key rotates, by its name: what it says, and what is usual where it says nothing. */
export function buildRotations(
  keys: ReadonlyMap<string, Key>,
  entryOf: (key: string) => RotationEntry | undefined,
  grants: readonly Grant[],
  complaints: Complaints,
): ReadonlyMap<string, RotationPolicy> {
  const grantsOf = Map.groupBy(grants, ({ key }) => key.name)
  return new Map(
    [...keys].map(([name, key]) => {
      const entry = entryOf(name) ?? {}
      const onKey = grantsOf.get(key.name) ?? []
      const overlapMsMin = Math.max(0, ...onKey.map(longestLifetimeMs)) + overlapMarginMs
      if (entry.overlap !== undefined && entry.overlap < overlapMsMin) {
        const message = `tokens that a grant allows outlive it: at least ${overlapMsMin / 1_000}s, which is their longest lifetime and ${overlapMarginMs / 1_000}s`
        complaints.add(['keys', name, 'rotation', 'overlap'], message)
      }
      const policy = policyOf(key, entry, overlapMsMin)
      if (isCrowded(key, policy)) {
        const message = 'it is due again before the version before has gone: more than overlap'
        complaints.warn(['keys', name, 'rotation', 'every'], message)
      }
      return [name, policy]
    }),
  )
}

/** A push registry is told of the next version in time, so that it can sign at once when it has to. */
function policyOf(key: Key, entry: RotationEntry, overlapMsMin: number): RotationPolicy {
  const isPushed = key.registry?.kind === 'app'
  return {
    everyMs: entry.every,
    overlapMs: entry.overlap ?? Math.max(overlapMsUsual, overlapMsMin),
    standby: entry.standby ?? (isPushed && key.source !== 'imported' ? 1 : 0),
    propagationMs: entry.propagation ?? (isPushed ? propagationMsUsual : 0),
  }
}

/** The registry's slots fill up: every rotation then waits until the one before it is over. */
function isCrowded({ registry }: Key, { everyMs = Infinity, ...policy }: RotationPolicy): boolean {
  return registry?.kind === 'app' && everyMs <= policy.overlapMs + policy.propagationMs
}

/** Of what it has signed, none may be looked at once it is no longer published. */
function longestLifetimeMs({ operations, profile, lifetimeSecondsMax }: Grant): number {
  const signs = operations.includes('sign-claims') || operations.includes('sign-input')
  // Of tokens that never expire a human says when nobody uses them.
  if (!signs || !profile?.expires) return 0
  const seconds = Math.min(profile.lifetimeSecondsMax, lifetimeSecondsMax ?? Infinity)
  return seconds === Number.MAX_SAFE_INTEGER ? 0 : seconds * 1_000 // which is a complaint already
}
