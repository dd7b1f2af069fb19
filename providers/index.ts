import { awsKmsConfig, awsSignsDigests } from './aws-kms/config.ts'
import { azureKeyVaultConfig, azureSignsDigests, azureSignsNot } from './azure-key-vault/config.ts'
import { localConfig, localSignsDigests } from './local/config.ts'

/** Schemas only, so that reading a configuration loads no vendor code. */
export const vaultConfigs = [localConfig, awsKmsConfig, azureKeyVaultConfig] as const

/** The algorithms that a provider's vaults cannot sign, so that no key is configured with them. */
export const signsNot = {
  local: [],
  'aws-kms': [],
  'azure-key-vault': azureSignsNot,
} as const

/** With which algorithms a vault signs a digest: known before anything is asked. */
export const signsDigests = {
  local: localSignsDigests,
  'aws-kms': awsSignsDigests,
  'azure-key-vault': azureSignsDigests,
} as const

/** What `serve` needs of each: a process loads only the SDKs of the vaults it is configured with. */
export const loadVault = {
  local: async () => (await import('./local/signer.ts')).openLocalVault,
  'aws-kms': async () => (await import('./aws-kms/signer.ts')).openAwsVault,
  'azure-key-vault': async () => (await import('./azure-key-vault/signer.ts')).openAzureVault,
} as const
