/** For commands alone: `serve` is composed without this file. */
export const loadDisabler = {
  local: async () => (await import('./local/disabler.ts')).localDisabler,
  'aws-kms': async () => (await import('./aws-kms/disabler.ts')).awsDisabler,
  'azure-key-vault': async () => (await import('./azure-key-vault/disabler.ts')).azureDisabler,
} as const
