import { KMSClient, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms'
import { parse } from 'yaml'
import { z } from 'zod'
import { awsKmsConfig } from '../../providers/aws-kms/config.ts'
import { awsGenerator } from '../../providers/aws-kms/generator.ts'
import { awsImporter } from '../../providers/aws-kms/importer.ts'
import { openAwsVault } from '../../providers/aws-kms/signer.ts'
import { azureKeyVaultConfig, azureSignsNot } from '../../providers/azure-key-vault/config.ts'
import { azureDisabler } from '../../providers/azure-key-vault/disabler.ts'
import { azureGenerator } from '../../providers/azure-key-vault/generator.ts'
import { azureImporter } from '../../providers/azure-key-vault/importer.ts'
import { openAzureVault } from '../../providers/azure-key-vault/signer.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { algorithmNames, type AlgorithmName } from '../../src/signing/algorithms.ts'
import type { KeyGenerator, KeyImporter, Vault } from '../../src/signing/signer.ts'

/** A vault of the user's own, which costs what it costs. */
export interface RealVault {
  readonly provider: string
  readonly algorithms: readonly AlgorithmName[]
  readonly open: () => Promise<Vault>
  readonly generator: () => Promise<KeyGenerator>
  readonly importer: () => Promise<KeyImporter>
  /** What a run has made signs no more, and where that can be done by itself, it is deleted later. */
  readonly discard: (resource: string, signal: AbortSignal) => Promise<unknown>
}

const surroundings = {
  clock: systemClock,
  environment: (name: string) => process.env[name],
  reader: 'operator',
} as const

const names = z.enum(['aws-kms', 'azure-key-vault'])

/**
 * The vault that the environment names: `TEST_REAL` its provider, `TEST_REAL_VAULT` what stands of it in a
 * configuration. None without `TEST_REAL`.
 */
export function realVault(): RealVault | undefined {
  const chosen = process.env['TEST_REAL']
  if (chosen === undefined) return undefined
  const provider = names.parse(chosen)
  const settings = z
    .record(z.string(), z.unknown())
    .parse(parse(process.env['TEST_REAL_VAULT'] ?? ''))
  return { 'aws-kms': realAws, 'azure-key-vault': realAzure }[provider]({ ...settings, provider })
}

function realAws(settings: object): RealVault {
  const config = awsKmsConfig.parse(settings)
  const { region, endpoint } = config
  const sdk = new KMSClient({ region, ...(endpoint === undefined ? {} : { endpoint }) })
  return {
    provider: config.provider,
    algorithms: algorithmNames,
    open: async () => openAwsVault(config, surroundings),
    generator: async () => awsGenerator(config, { ...surroundings, keysOf: 'test' }),
    importer: async () => awsImporter(config, { ...surroundings, keysOf: 'test' }),
    discard: (KeyId, abortSignal) =>
      sdk.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }), { abortSignal }),
  }
}

/** Deleting a key there deletes every version of its name: that is for whoever owns the vault. */
function realAzure(settings: object): RealVault {
  const config = azureKeyVaultConfig.parse(settings)
  const signsNot: readonly AlgorithmName[] = azureSignsNot
  return {
    provider: config.provider,
    algorithms: algorithmNames.filter((name) => !signsNot.includes(name)),
    open: () => openAzureVault(config, surroundings),
    generator: () => azureGenerator(config, surroundings),
    importer: () => azureImporter(config, surroundings),
    discard: async (resource, signal) =>
      (await azureDisabler(config, surroundings)).disable(resource, signal),
  }
}
