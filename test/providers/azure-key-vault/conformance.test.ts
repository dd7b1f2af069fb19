import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { azureModulusBits } from '../../../providers/azure-key-vault/algorithms.ts'
import { azureSignsNot } from '../../../providers/azure-key-vault/config.ts'
import { algorithmNames, type AlgorithmName } from '../../../src/signing/algorithms.ts'
import { describeGenerator, type Generated } from '../../conformance/generator-suite.ts'
import { describeImporter } from '../../conformance/importer-suite.ts'
import { describeSigner } from '../../conformance/signer-suite.ts'
import {
  azureConfig,
  type AzureFiles,
  azureFiles,
  azureVault,
  heldVersion,
  quickAzureGenerator,
  quickAzureImporter,
} from '../../support/azure-vault.ts'
import { fakeKeyVault, type FakeKeyVault } from '../../support/fake-key-vault.ts'
import { memoryKey } from '../../support/memory-key.ts'
import { tallied } from '../../support/tally.ts'

let vault: FakeKeyVault
let files: AzureFiles
const foreign: string[] = []
const pairs = new Map<AlgorithmName, readonly [string, string]>()
const algorithms = algorithmNames.filter((name) => /^[RPE]S/.test(name))

beforeAll(async () => {
  vault = await fakeKeyVault()
  files = azureFiles(vault)
  for (const name of algorithms) {
    pairs.set(name, [heldVersion(vault, name).id, heldVersion(vault, name, 'other').id])
  }
  const { id, version } = heldVersion(vault, 'ES256')
  foreign.push(
    id.replace(version, 'f'.repeat(32)),
    id.replace('es256-one', 'another'),
    id.replace(vault.origin, 'https://other.vault.azure.net'),
    id.replace('/keys/', '/secrets/'),
    `${id}/sign`,
    id.replace('https:', 'http:'),
    `${id}?x=y`,
    'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    'es256-one',
    '',
  )
})

afterAll(async () => {
  await vault[Symbol.asyncDispose]()
  rmSync(files.directory, { recursive: true })
})

tallied('Azure Key Vault: conformance')

describeSigner({
  provider: 'azure-key-vault',
  algorithms,
  signsDigests: () => true,
  vault: () => azureVault(azureConfig(vault, files)),
  async resources(name) {
    const pair = pairs.get(name)
    if (pair) return pair
    throw new Error(`no keys of ${name}`)
  },
  secretOf: (name) => memoryKey(name).secret,
  foreignResources: foreign,
  internals: () => vault.internals,
  rsaKeysAreShared: true,
  requestsBilled: () => vault.count('Sign'),
})

const makes: readonly Generated[] = [
  { algorithm: 'RS256', modulusBits: 2048, kind: 'RSA-2048' },
  { algorithm: 'RS384', modulusBits: undefined, kind: 'RSA-3072' },
  { algorithm: 'RS512', modulusBits: 2048, kind: 'RSA-2048' },
  { algorithm: 'PS256', modulusBits: 4096, kind: 'RSA-4096' },
  { algorithm: 'PS384', modulusBits: 2048, kind: 'RSA-2048' },
  { algorithm: 'PS512', modulusBits: 2048, kind: 'RSA-2048' },
  { algorithm: 'ES256', modulusBits: undefined, kind: 'P-256' },
  { algorithm: 'ES384', modulusBits: undefined, kind: 'P-384' },
  { algorithm: 'ES512', modulusBits: undefined, kind: 'P-521' },
]

describeGenerator({
  provider: 'azure-key-vault',
  generator: () => quickAzureGenerator(azureConfig(vault, files)),
  vault: () => azureVault(azureConfig(vault, files)),
  makes,
  refuses: [
    { algorithm: 'RS256', modulusBits: 1024 },
    { algorithm: 'RS256', modulusBits: 2049 },
    { algorithm: 'PS512', modulusBits: 8192 },
    { algorithm: 'ES256', modulusBits: 2048 },
    { algorithm: 'EdDSA', modulusBits: undefined },
    { algorithm: 'HS256', modulusBits: undefined },
  ],
  cheapest: 'ES256',
})

describeImporter({
  provider: 'azure-key-vault',
  importer: () => quickAzureImporter(azureConfig(vault, files)),
  vault: () => azureVault(azureConfig(vault, files)),
  algorithms,
  modulusBits: azureModulusBits,
  modulusBitsRefused: [1024, 2049, 8192],
  cheapest: 'ES256',
})

test('every algorithm of the table is made, or said to be none of the vault’s', () => {
  const made: readonly string[] = makes.map((one) => one.algorithm)
  expect([...made, ...azureSignsNot]).toEqual(algorithmNames)
  expect(algorithms).toEqual(made)
})
