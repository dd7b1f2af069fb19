/** For the `import` command alone: `serve` is composed without this file. */
export const loadImporter = {
  local: async () => (await import('./local/importer.ts')).localImporter,
  'aws-kms': async () => (await import('./aws-kms/importer.ts')).awsImporter,
  'azure-key-vault': async () => (await import('./azure-key-vault/importer.ts')).azureImporter,
} as const
