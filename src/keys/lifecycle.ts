/**
 * Life of a version (DESIGN §1), with the state names of NIST SP 800-57 part 1 rev. 5 §7:
 * https://doi.org/10.6028/NIST.SP.800-57pt1r5
 */
export const states = {
  created: { nist: 'pre-activation', next: ['published', 'active', 'revoked'] },
  published: { nist: 'pre-activation', next: ['active', 'retired', 'revoked'] },
  active: { nist: 'active', next: ['retiring', 'revoked'] },
  retiring: { nist: 'deactivated', next: ['retired', 'revoked'] },
  retired: { nist: 'deactivated', next: ['destroyed', 'revoked'] },
  destroyed: { nist: 'destroyed', next: ['revoked'] },
  revoked: { nist: 'compromised', next: [] },
} as const satisfies Record<string, { nist: string; next: readonly string[] }>

export type VersionState = keyof typeof states

export const versionStates: readonly VersionState[] = [
  'created',
  'published',
  'active',
  'retiring',
  'retired',
  'destroyed',
  'revoked',
]

/** `revoked` is terminal from anywhere; nothing goes back. */
export function mayBecome(from: VersionState, to: VersionState): boolean {
  const next: readonly VersionState[] = states[from].next
  return next.includes(to)
}

/** What verifiers are told of, and what the fingerprint endpoint shows. */
export function isVisible(state: VersionState): boolean {
  return state === 'published' || state === 'active' || state === 'retiring'
}

/** It never signs again, and may be gone from its vault. */
export function hasEnded(state: VersionState): boolean {
  return state === 'retired' || state === 'destroyed' || state === 'revoked'
}

/** What a switch could choose: made, or published, and never active yet. */
export function mayBeSwitchedTo(state: VersionState): boolean {
  return state === 'created' || state === 'published'
}
