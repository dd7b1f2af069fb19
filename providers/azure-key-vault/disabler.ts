import type { KeyDisabler } from '../../src/signing/signer.ts'
import { azureClient, type AzureSurroundings } from './client.ts'
import type { AzureKeyVaultConfig } from './config.ts'
import { isMissing, keyUnusable } from './errors.ts'
import { readResource } from './inspector.ts'

/**
 * Disables one version, and leaves the others of its key as they are; never deletes, which would take them all.
 *
 * @throws {ServiceError} `config_invalid` as `openAzureVault`.
 */
export async function azureDisabler(
  config: AzureKeyVaultConfig,
  surroundings: AzureSurroundings,
): Promise<KeyDisabler> {
  const client = await azureClient(config, surroundings)
  return {
    async disable(resource, signal) {
      const { name, version, id } = readResource(resource, config.vaultUrl)
      // The SDK would disable the present version instead.
      if (version === undefined) throw keyUnusable('Not the id of one version', id)
      try {
        await client.disableKey(name, version, signal)
      } catch (error) {
        // Gone already: it signs no more.
        if (!isMissing(error)) throw error
      }
    },
  }
}
