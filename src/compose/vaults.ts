import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { ServiceError } from '../errors.ts'
import type { Vault } from '../signing/signer.ts'
import { loadVault, vaultConfigs } from '../../providers/index.ts'
import type { Config, VaultRules } from '../config/config.ts'

const vaultConfig = z.discriminatedUnion('provider', vaultConfigs)
export type VaultConfig = z.infer<typeof vaultConfig>
export type ServiceConfig = Config<VaultConfig>

/** What the configuration has to know of the providers. */
export const vaultRules: VaultRules<VaultConfig> = {
  schema: vaultConfig,
  isSoftware: ({ provider }) => provider === 'local',
}

/**
 * Every configured vault, opened side by side.
 *
 * @throws {ServiceError} `config_invalid` for a vault whose files cannot be used.
 */
export async function openVaults(
  configs: ReadonlyMap<string, VaultConfig>,
): Promise<ReadonlyMap<string, Vault>> {
  const opened = [...configs].map(async ([name, config]) => {
    const open = await loadVault[config.provider]()
    const options = { concurrency: availableParallelism() + 1 }
    const vault = await open(config, options).catch((error: unknown) => {
      throw ofVault(name, error)
    })
    return [name, vault] as const
  })
  return new Map(await Promise.all(opened))
}

/** An operator has to know which vault it is, and how a new one gets its files. */
function ofVault(name: string, error: unknown): unknown {
  if (!(error instanceof ServiceError) || error.code !== 'config_invalid') return error
  const message = `vault ${name}: ${error.message} (a new vault's files: \`chancery vault init ${name}\`)`
  return new ServiceError('config_invalid', message, { cause: error })
}
