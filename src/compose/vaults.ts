import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { environmentVariable } from '../config/environment.ts'
import { ServiceError } from '../errors.ts'
import { systemClock } from '../lib/clock.ts'
import type { ClockWatch, ExchangeTiming } from '../lib/clock-watch.ts'
import type { Vault } from '../signing/signer.ts'
import { loadVault, signsDigests, signsNot, vaultConfigs } from '../../providers/index.ts'
import type { Config, VaultRules } from '../config/config.ts'

const vaultConfig = z.discriminatedUnion('provider', vaultConfigs)
export type VaultConfig = z.infer<typeof vaultConfig>
export type ServiceConfig = Config<VaultConfig>

/** What the configuration has to know of the providers. */
export const vaultRules: VaultRules<VaultConfig> = {
  schema: vaultConfig,
  isSoftware: ({ provider }) => provider === 'local',
  signsNot: ({ provider }) => signsNot[provider],
  signsDigests: ({ provider }, algorithm) => signsDigests[provider](algorithm),
  remarkOn: (vault) => {
    if (vault.provider === 'aws-kms' && vault.endpoint !== undefined) return elsewhere('endpoint')
    const isEmulator = vault.provider === 'azure-key-vault' && vault.authorityHost !== undefined
    return isEmulator ? elsewhere('authorityHost') : undefined
  },
}

const elsewhere = (member: string) => ({
  member,
  message:
    'keys are asked for there, and not at the vault’s own address: an emulator has no real keys',
})

/**
 * Every configured vault, opened side by side.
 *
 * @param clocks told what the vaults' clocks say; left away where nothing depends on it.
 * @throws {ServiceError} `config_invalid` for a vault whose files cannot be used.
 */
export async function openVaults(
  configs: ReadonlyMap<string, VaultConfig>,
  reader: Reader,
  clocks?: ClockWatch,
): Promise<ReadonlyMap<string, Vault>> {
  const opened = [...configs].map(async ([name, config]) => {
    const timing = clocks?.timingOf(`vault ${name}`)
    const vault = await openVault(config, reader, timing).catch((error: unknown) => {
      throw ofVault(name, config, error)
    })
    return [name, vault] as const
  })
  return new Map(await Promise.all(opened))
}

/** Who reads what goes wrong: an operator is told which permission is missing, a caller is not. */
type Reader = 'operator' | 'caller'

/** What a vendor's client needs of the process around it. */
export function surroundingsFor(reader: Reader, timing?: ExchangeTiming) {
  return { clock: systemClock, environment: environmentVariable, reader, timing } as const
}

async function openVault(
  config: VaultConfig,
  reader: Reader,
  timing: ExchangeTiming | undefined,
): Promise<Vault> {
  switch (config.provider) {
    case 'local': {
      const open = await loadVault.local()
      return open(config, { concurrency: config.concurrency ?? availableParallelism() + 1 })
    }
    case 'aws-kms': {
      const open = await loadVault['aws-kms']()
      return open(config, surroundingsFor(reader, timing))
    }
    case 'azure-key-vault': {
      const open = await loadVault['azure-key-vault']()
      return open(config, surroundingsFor(reader, timing))
    }
  }
}

/** An operator has to know which vault it is, and how a new one gets its files. */
function ofVault(name: string, { provider }: VaultConfig, error: unknown): unknown {
  if (!(error instanceof ServiceError) || error.code !== 'config_invalid') return error
  const remedy =
    provider === 'local' ? ` (a new vault's files: \`chancery vault init ${name}\`)` : ''
  const message = `vault ${name}: ${error.message}${remedy}`
  return new ServiceError('config_invalid', message, { cause: error })
}
