import { loadDisabler } from '../../providers/disablers.ts'
import { ServiceError } from '../errors.ts'
import type { KeyDisabler } from '../signing/signer.ts'
import { type ServiceConfig, surroundingsFor, type VaultConfig } from './vaults.ts'

/**
 * For commands only: `serve` is composed without this file.
 *
 * @throws {ServiceError} `vault_unavailable` for a vault that is no longer configured,
 *   `config_invalid` for one whose files cannot be used.
 */
export async function openDisabler({ vaults }: ServiceConfig, name: string): Promise<KeyDisabler> {
  const vault = vaults.get(name)
  if (vault) return disablerIn(vault)
  const message = `The configuration no longer has the vault ${name}: put it back, or disable the key there`
  throw new ServiceError('vault_unavailable', message)
}

async function disablerIn(config: VaultConfig): Promise<KeyDisabler> {
  switch (config.provider) {
    case 'local': {
      const open = await loadDisabler.local()
      return open(config)
    }
    case 'aws-kms': {
      const open = await loadDisabler['aws-kms']()
      return open(config, surroundingsFor('operator'))
    }
    case 'azure-key-vault': {
      const open = await loadDisabler['azure-key-vault']()
      return open(config, surroundingsFor('operator'))
    }
  }
}
