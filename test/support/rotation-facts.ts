import type { RotationPolicy } from '../../src/keys/rotation-policy.ts'
import type { KeyFacts, SeenKey, SeenRegistry, Step } from '../../src/rotation/facts.ts'

export const hourMs = 3_600_000
export const dayMs = 24 * hourMs

export function policyOf(part: Partial<RotationPolicy> = {}): RotationPolicy {
  return { everyMs: undefined, overlapMs: 7 * dayMs, standby: 0, propagationMs: 0, ...part }
}

/** A key without a registry that nobody has asked anything of. */
export function keyFacts(part: Partial<KeyFacts> = {}): KeyFacts {
  return {
    versions: [],
    openIntent: undefined,
    publishing: new Set(),
    source: 'generated',
    policy: policyOf(),
    registry: { kind: 'none' },
    activeMax: 1,
    asked: undefined,
    suspended: new Set(),
    unproved: new Map(),
    isForced: false,
    provisioned: undefined,
    failed: new Set(),
    ...part,
  }
}

export function seen(keys: readonly SeenKey[], propagationMs = 0): SeenRegistry {
  return { keys, propagationMs }
}

export function unknown(...kids: readonly string[]): readonly SeenKey[] {
  return kids.map((kid) => ({ kid, version: undefined, lastUsedAt: undefined }))
}

/** `activate 2, retiring 1`, `wait overlap`, `done`. */
export function shown(step: Step): string {
  switch (step.kind) {
    case 'activate':
      return `activate ${step.version.n}${step.retires ? `, retiring ${step.retires.n}` : ''}`
    case 'wait':
      return `wait ${step.wait.kind}`
    case 'task':
      return `task ${step.task.kind}`
    default:
      return 'version' in step ? `${step.kind} ${step.version.n}` : step.kind
  }
}
