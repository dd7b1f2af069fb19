/** For the job alone: `serve` is composed without this file, so nothing in it can make a key. */
export const loadGenerator = {
  local: async () => (await import('./local/generator.ts')).localGenerator,
  'aws-kms': async () => (await import('./aws-kms/generator.ts')).awsGenerator,
  'azure-key-vault': async () => (await import('./azure-key-vault/generator.ts')).azureGenerator,
} as const
