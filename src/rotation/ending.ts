import { type KeyVersion, versionName } from '../keys/version.ts'
import type { KeyFacts, Step } from './facts.ts'

/**
 * What is still to be done about versions that sign no more; pure. First what depends on nothing: a clock that
 * is wrong, or a registry that cannot be looked at, stops whatever would come after it.
 */
export function endingStep(facts: KeyFacts, now: number): Step | undefined {
  const steps = facts.versions.flatMap((version) => endingOf(version, facts, now) ?? [])
  return steps.toSorted((one, other) => turnOf(one) - turnOf(other))[0]
}

function turnOf(step: Step): number {
  switch (step.kind) {
    case 'disable':
      return 0
    case 'withdraw':
      return step.isTimed ? 1 : 0
    case 'retire':
      return 1
    case 'look':
      return 2
    default:
      return 3
  }
}

/** Every deed on what has ended, as one that did not work: each may wait for a registry or a vault that is down. */
export function deedsApart(versions: readonly KeyVersion[]): KeyFacts['failed'] {
  return new Set(versions.flatMap(({ n }) => [`disable ${n}`, `withdraw ${n}`]))
}

/** Until when tokens of a version that signs no more may be in use; undefined once they are not, or somebody cut it short. */
export function overlapEnd(
  { n, retiringAt }: KeyVersion,
  { policy, asked }: Pick<KeyFacts, 'policy' | 'asked'>,
  now: number,
): number | undefined {
  if (isCut(n, asked)) return undefined
  const until = (retiringAt ?? now) + policy.overlapMs
  return until <= now ? undefined : until
}

function endingOf(version: KeyVersion, facts: KeyFacts, now: number): Step | undefined {
  switch (version.state) {
    case 'revoked':
      return disabling(version, facts) ?? withdrawing(version, facts)
    case 'retired':
      // Of a provisioned one Terraform takes away what it gave.
      return (
        (version.source === 'provisioned' ? undefined : disabling(version, facts)) ??
        // It retires when it is withdrawn: somebody has told its registry of it since.
        (facts.registry.kind === 'app' ? withdrawing(version, facts) : undefined)
      )
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
  const overlap = overlapEnd(version, facts, now)
  if (overlap !== undefined) {
    return { kind: 'wait', wait: { kind: 'overlap', version: nameOf(version), until: overlap } }
  }
  if (registry.kind === 'manual') return deletion(version)
  // Of an imported secret only its portal's people can say that nobody uses it.
  if (registry.kind === 'none') {
    return source === 'imported' ? deletion(version) : { kind: 'retire', version }
  }
  if (hasFailed('withdraw', version, facts)) return undefined
  if (isCut(version.n, asked)) return { kind: 'withdraw', version, isTimed: false }
  if (!registry.seen) return { kind: 'look' }
  const used = registry.seen.keys.find(({ kid }) => kid === version.kid)?.lastUsedAt
  const until = (used ?? -Infinity) + policy.overlapMs
  if (until <= now) return { kind: 'withdraw', version, isTimed: true }
  return { kind: 'wait', wait: { kind: 'used', version: nameOf(version), until } }
}

/** A human asked for its end at once: whoever still has its tokens is not waited for. */
export function isCut(n: number, asked: KeyFacts['asked']): boolean {
  return asked?.isEmergency === true && asked.replaces === n
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
