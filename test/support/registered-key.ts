import type { VersionState } from '../../src/keys/lifecycle.ts'
import type { KeyVersion } from '../../src/keys/version.ts'
import type { KeyFacts, RegistryState, SeenKey } from '../../src/rotation/facts.ts'
import { nextStep } from '../../src/rotation/next-step.ts'
import { dayMs, keyFacts, policyOf, seen, shown } from './rotation-facts.ts'
import { versionOf } from './store-file.ts'

/** A key whose public half an app of a registry has to know, and what is to be done for it now. */

export const now = 100 * dayMs
const slots = 3
export const app = (keys?: readonly SeenKey[], propagationMs = 0): RegistryState => ({
  kind: 'app',
  slots,
  seen: keys && seen(keys, propagationMs),
})
export const policy = policyOf({ everyMs: 90 * dayMs, standby: 1, propagationMs: 300_000 })

export const versionsIn = (...states: readonly VersionState[]) =>
  states.map((state, i) => lived(i + 1, state))

/** As after a life that went well: what signs does so for a day, what stands by was published long ago. */
export function lived(n: number, state: VersionState, part: Partial<KeyVersion> = {}): KeyVersion {
  const [publishedAt, activatedAt] = [98 * dayMs + n, 99 * dayMs + n]
  const times = {
    created: {},
    published: { publishedAt },
    active: { publishedAt, activatedAt },
    retiring: { publishedAt, activatedAt, retiringAt: 99 * dayMs },
    retired: { publishedAt, activatedAt, withdrawnAt: now },
    destroyed: { publishedAt, activatedAt, withdrawnAt: now },
    revoked: { publishedAt, activatedAt, withdrawnAt: now },
  }
  return versionOf('blog', n, {
    state,
    kid: `kid-${n}`,
    disabledAt: now,
    ...times[state],
    ...part,
  })
}
export const ours = (...numbers: readonly number[]): readonly SeenKey[] =>
  numbers.map((n) => ({ kid: `kid-${n}`, version: `blog@${n}`, lastUsedAt: undefined }))

export function step(
  registry: RegistryState,
  versions: readonly KeyVersion[] | readonly VersionState[],
  part: Partial<KeyFacts> = {},
): string {
  const all = versions.map((one, i) => (typeof one === 'string' ? lived(i + 1, one) : one))
  return shown(nextStep(keyFacts({ versions: all, registry, policy, ...part }), now))
}
