import { awsKmsConfig } from './aws-kms/config.ts'
import { localConfig } from './local/config.ts'

/** Schemas only, so that reading a configuration loads no vendor code. */
export const vaultConfigs = [localConfig, awsKmsConfig] as const

/** What `serve` needs of each: a process loads only the SDKs of the vaults it is configured with. */
export const loadVault = {
  local: async () => (await import('./local/signer.ts')).openLocalVault,
  'aws-kms': async () => (await import('./aws-kms/signer.ts')).openAwsVault,
} as const
