import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AzureKeyVaultConfig,
  azureKeyVaultConfig,
} from '../../providers/azure-key-vault/config.ts'
import { azureDisabler } from '../../providers/azure-key-vault/disabler.ts'
import { azureGenerator } from '../../providers/azure-key-vault/generator.ts'
import { azureImporter } from '../../providers/azure-key-vault/importer.ts'
import { openAzureVault } from '../../providers/azure-key-vault/signer.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { AlgorithmName } from '../../src/signing/algorithms.ts'
import type { KeyDisabler, KeyGenerator, KeyImporter, Vault } from '../../src/signing/signer.ts'
import { authority } from './certificates.ts'
import type { FakeKeyVault } from './fake-key-vault.ts'
import { clientId, tenant } from './fake-key-vault/tokens.ts'
import { memoryKey, type Which } from './memory-key.ts'

/** Nothing of the test's own environment leads a client anywhere. */
export const bareAzureSurroundings = {
  clock: systemClock,
  environment: () => undefined,
  reader: 'operator',
  // Machines that are busy are slow: what a test is about has a deadline of its own.
  requestTimeoutMs: 60_000,
} as const

/** A fake's certificate and the identity that its vault takes, as files, for one test file. */
export type AzureFiles = {
  readonly directory: string
  readonly caFile: string
  readonly certificateFile: string
  readonly tokenFile: string
}

export function azureFiles(vault: FakeKeyVault, directory = newDirectory()): AzureFiles {
  const [caFile, certificateFile, tokenFile] = ['ca.pem', 'identity.pem', 'token'].map((name) =>
    join(directory, name),
  )
  if (!caFile || !certificateFile || !tokenFile) throw new TypeError('three files were named')
  const { certificate, key } = authority('an application').issue({ keyType: 'rsa' })
  vault.identities.certificate = certificate
  writeFileSync(caFile, vault.ca)
  writeFileSync(certificateFile, `${key}${certificate}`, { mode: 0o600 })
  writeFileSync(tokenFile, vault.identities.federated, { mode: 0o600 })
  return { directory, caFile, certificateFile, tokenFile }
}

function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'chancery-azure-'))
}

/** By certificate, where nothing else is said, and over few connections: each costs a handshake. */
export function azureConfig(
  { origin }: FakeKeyVault,
  { caFile, certificateFile }: AzureFiles,
  part: Partial<Record<keyof AzureKeyVaultConfig, unknown>> = {},
): AzureKeyVaultConfig {
  const identity = { tenantId: tenant, clientId, certificateFile }
  return azureKeyVaultConfig.parse({
    provider: 'azure-key-vault',
    vaultUrl: origin,
    authorityHost: origin,
    caFile,
    credential: 'client-certificate',
    concurrency: 8,
    ...(part['credential'] === undefined ? identity : {}),
    ...part,
  })
}

export function azureVault(config: AzureKeyVaultConfig): Promise<Vault> {
  return openAzureVault(config, bareAzureSurroundings)
}

/** Nothing here takes seconds to be seen. */
const quick = { lookEveryMs: 1, looksMax: 5, settleMs: 1 }

export function quickAzureGenerator(config: AzureKeyVaultConfig): Promise<KeyGenerator> {
  return azureGenerator(config, bareAzureSurroundings, quick)
}

export function quickAzureImporter(config: AzureKeyVaultConfig): Promise<KeyImporter> {
  return azureImporter(config, bareAzureSurroundings, quick)
}

export function azureDisablerOf(config: AzureKeyVaultConfig): Promise<KeyDisabler> {
  return azureDisabler(config, bareAzureSurroundings)
}

/** A configuration with one more vault, `azure`, at the fake; its identity is a certificate. */
export function withAzureVault(text: string, vault: FakeKeyVault, files: AzureFiles): string {
  const { caFile, certificateFile } = files
  const identity = `tenantId: ${tenant}, clientId: ${clientId}, certificateFile: ${certificateFile}`
  const where = `vaultUrl: '${vault.origin}', authorityHost: '${vault.origin}', caFile: ${caFile}`
  const entry = `azure: { provider: azure-key-vault, ${where}, credential: client-certificate, ${identity} }`
  return text.replace('\nkeys:', `\n  ${entry}\nkeys:`)
}

/** A key in the fake whose secret the test knows, too. */
export function heldVersion(vault: FakeKeyVault, name: AlgorithmName, which: Which = 'one') {
  return vault.add(`${name.toLowerCase()}-${which}`, { secret: memoryKey(name, which).secret })
}
