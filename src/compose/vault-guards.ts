import { type Clock, systemClock } from '../lib/clock.ts'
import { type Condition, guardedVault, localVault } from '../signing/guarded-vault.ts'
import type { Vault } from '../signing/signer.ts'
import type { VaultObserver } from '../signing/vault-requests.ts'
import type { VaultConfig } from './vaults.ts'

export type GuardedVaults = {
  readonly vaults: ReadonlyMap<string, Vault>
  /** Of those over a network. */
  readonly conditions: ReadonlyMap<string, Condition>
}

type Surroundings = {
  readonly clock: Clock
  readonly observer: VaultObserver
  /** For whoever has more time than the configuration gives a signature. */
  readonly deadlineMsMin?: number
}

/** Each behind limits of its own: one that is slow or down takes nothing from another. */
export function guardVaults(
  opened: ReadonlyMap<string, Vault>,
  configs: ReadonlyMap<string, VaultConfig>,
  surroundings: Surroundings,
): GuardedVaults {
  const { deadlineMsMin = 0, ...shared } = surroundings
  const vaults = new Map<string, Vault>()
  const conditions = new Map<string, Condition>()
  for (const [name, config] of configs) {
    const vault = opened.get(name)
    if (!vault) throw new TypeError(`vault ${name} was not opened`)
    const own = { ...shared, vault: name }
    const limits = { deadlineMs: config.deadline, quotaPerSecond: config.quota }
    if (config.provider === 'local') {
      vaults.set(name, localVault(vault, limits, own))
      continue
    }
    const { concurrency } = config
    const deadlineMs = Math.max(config.deadline, deadlineMsMin)
    const guarded = guardedVault(vault, { ...limits, concurrency, deadlineMs }, own)
    vaults.set(name, guarded.vault)
    conditions.set(name, guarded.condition)
  }
  return { vaults, conditions }
}

/** Of one request to a vault: nobody waits for a command as for a signature. */
const commandMs = 20_000

/** For commands, which report what goes wrong themselves. */
export const forCommands: Surroundings = {
  clock: systemClock,
  observer: { vaultAnswered() {}, vaultRefused() {} },
  deadlineMsMin: commandMs,
}
