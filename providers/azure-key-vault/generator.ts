import { ServiceError } from '../../src/errors.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import type { KeyGenerator } from '../../src/signing/signer.ts'
import { newKeyKind } from './algorithms.ts'
import { azureClient, type AzureSurroundings } from './client.ts'
import type { AzureKeyVaultConfig } from './config.ts'
import { findByIntent, intentTag } from './intents.ts'
import { nameOfKey, seen, usualConsistency } from './new-key.ts'

/**
 * Makes versions; `serve` is composed without it. A version of ours is a version of the vault's key of the same
 * name, tagged with its intent in the request that makes it, and found by that tag.
 *
 * @throws {ServiceError} `config_invalid` as `openAzureVault`.
 */
export async function azureGenerator(
  config: AzureKeyVaultConfig,
  surroundings: AzureSurroundings,
  consistency = usualConsistency,
): Promise<KeyGenerator> {
  const client = await azureClient(config, surroundings)
  const made = { client, config, surroundings, consistency }
  return {
    async generate({ algorithm: name, modulusBits, intentId, name: version }, signal) {
      const kind = newKeyKind(name, modulusBits)
      if (!kind) {
        throw new ServiceError('vault_key_unusable', `The vault makes no ${name} key of this size`)
      }
      const { kty, ...size } = kind
      const { id } = await client.createKey(
        nameOfKey(version),
        config.hsm ? `${kty}-HSM` : kty,
        {
          ...size,
          keyOps: ['sign', 'verify'],
          enabled: true,
          exportable: false,
          tags: { [intentTag]: intentId },
        },
        signal,
      )
      return seen(made, id, algorithm(name), signal)
    },

    find: ({ intentId, name }, signal, goOn) =>
      findByIntent(client, { intentId, nameOfKey: nameOfKey(name) }, signal, goOn),
    settleMs: consistency.settleMs,
  }
}
