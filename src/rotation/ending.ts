import { type KeyVersion, versionName } from '../keys/version.ts'
import type { KeyFacts, Step } from './facts.ts'

/** What is still to be done about versions that sign no more; pure. Deeds come before waits. */
export function endingStep(facts: KeyFacts, now: number): Step | undefined {
  const steps = facts.versions.flatMap((version) => endingOf(version, facts, now) ?? [])
  return steps.find(({ kind }) => kind !== 'wait' && kind !== 'task') ?? steps[0]
}

function endingOf(version: KeyVersion, facts: KeyFacts, now: number): Step | undefined {
  switch (version.state) {
    case 'revoked':
      return disabling(version, facts) ?? withdrawing(version, facts)
    case 'retired':
      // Of a provisioned one Terraform takes away what it gave.
      return version.source === 'provisioned' ? undefined : disabling(version, facts)
    case 'retiring':
      return afterOverlap(version, facts, now)
    default:
      return undefined
  }
}

function disabling(version: KeyVersion, facts: KeyFacts): Step | undefined {
  if (version.disabledAt !== undefined) return undefined
  return hasFailed('disable', version, facts) ? undefined : { kind: 'disable', version }
}

/** Whether it ever came to be published is not known of one that was revoked in between. */
function withdrawing(version: KeyVersion, facts: KeyFacts): Step | undefined {
  if (version.withdrawnAt !== undefined) return undefined
  switch (facts.registry.kind) {
    case 'none':
      return undefined
    case 'manual':
      return deletion(version)
    case 'app':
      return hasFailed('withdraw', version, facts)
        ? undefined
        : { kind: 'withdraw', version, isTimed: false }
  }
}

function afterOverlap(version: KeyVersion, facts: KeyFacts, now: number): Step | undefined {
  const { registry, source, policy, asked } = facts
  const isCut = asked?.isEmergency === true && asked.replaces === version.n
  const wait = isCut ? undefined : overlapWait(version, facts, now)
  if (wait) return wait
  if (registry.kind === 'manual') return deletion(version)
  // Of an imported secret only its portal's people can say that nobody uses it.
  if (registry.kind === 'none') {
    return source === 'imported' ? deletion(version) : { kind: 'retire', version }
  }
  if (hasFailed('withdraw', version, facts)) return undefined
  if (isCut) return { kind: 'withdraw', version, isTimed: false }
  if (!registry.seen) return { kind: 'look' }
  const used = registry.seen.keys.find(({ kid }) => kid === version.kid)?.lastUsedAt
  const until = (used ?? -Infinity) + policy.overlapMs
  if (until <= now) return { kind: 'withdraw', version, isTimed: true }
  return { kind: 'wait', wait: { kind: 'used', version: nameOf(version), until } }
}

function overlapWait(version: KeyVersion, { policy }: KeyFacts, now: number): Step | undefined {
  const until = (version.retiringAt ?? now) + policy.overlapMs
  if (until <= now) return undefined
  return { kind: 'wait', wait: { kind: 'overlap', version: nameOf(version), until } }
}

function deletion(version: KeyVersion): Step {
  return { kind: 'task', task: { kind: 'delete', version: nameOf(version), next: undefined } }
}

function hasFailed(kind: string, { n }: KeyVersion, { failed }: KeyFacts): boolean {
  return failed.has(`${kind} ${n}`)
}

function nameOf({ key, n }: KeyVersion): string {
  return versionName(key, n)
}
