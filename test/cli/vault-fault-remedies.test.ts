import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { remedied } from '../../src/cli/remedy.ts'
import { toServiceError } from '../../src/errors.ts'
import { algorithm, type AlgorithmName } from '../../src/signing/algorithms.ts'
import type { Vault } from '../../src/signing/signer.ts'
import { awsEnvironment, awsVault, heldKey } from '../support/aws-vault.ts'
import {
  azureConfig,
  type AzureFiles,
  azureFiles,
  azureVault,
  heldVersion,
} from '../support/azure-vault.ts'
import { fakeKeyVault, type FakeKeyVault } from '../support/fake-key-vault.ts'
import { fakeKms, type FakeKms } from '../support/fake-kms.ts'

/** What `rotate`, `sync` and `keys show` say of a key that is not as it was configured: all of it. */

const { signal } = new AbortController()
const message = Buffer.from('a message')
const input = { message, digest: new Uint8Array(32) }
let kms: FakeKms
let azure: FakeKeyVault
let files: AzureFiles

beforeAll(async () => {
  for (const [name, value] of Object.entries(awsEnvironment)) vi.stubEnv(name, value)
  kms = await fakeKms()
  azure = await fakeKeyVault()
  files = azureFiles(azure)
})
afterAll(async () => {
  await kms[Symbol.asyncDispose]()
  await azure[Symbol.asyncDispose]()
  rmSync(files.directory, { recursive: true })
  vi.unstubAllEnvs()
})

async function said(asked: Promise<unknown>): Promise<readonly string[]> {
  const error: unknown = await asked.then(
    () => new Error('nothing was refused'),
    (thrown: unknown) => thrown,
  )
  return [toServiceError(error).code, remedied(error)]
}

async function signing(vault: Vault, resource: string, meanwhile: () => void) {
  const signer = await vault.open({ resource, algorithm: 'ES256' }, signal)
  meanwhile()
  return signer.sign(input, algorithm('ES256'), signal)
}

const opening = (vault: Vault, resource: string, name: AlgorithmName = 'ES256') =>
  vault.open({ resource, algorithm: name }, signal)

const elsewhere = (arn: string) => arn.replace('eu-central-1', 'us-east-1')
const replace = 'or replace the version by rotate --now'

describe('AWS KMS', () => {
  test('has the key in another region: the vault has to be of that one', async () => {
    const { arn } = heldKey(kms, 'ES256')
    const before = kms.requests.length
    expect(await said(opening(awsVault(kms), elsewhere(arn)))).toEqual([
      'vault_key_unusable',
      'The key is in another region: use a vault of that region for it',
    ])
    expect(kms.requests).toHaveLength(before)
  })

  test('is reached at an endpoint of another region: region and endpoint have to agree', async () => {
    const { arn } = heldKey(kms, 'ES256')
    const vault = awsVault(kms, { region: 'us-east-1' })
    expect(await said(opening(vault, elsewhere(arn)))).toEqual([
      'vault_denied',
      'The vault does not accept the credentials: check them, and the clock; its endpoint is of another region than its configuration says; correct region or endpoint (InvalidSignatureException)',
    ])
  })

  test.each([
    ['ES384', 'The key does not fit ES384'],
    ['RS256', 'The key does not fit RS256'],
    ['HS256', 'The key is not for signing with HS256'],
  ] as const)('has an ES256 key where %s is configured', async (name, words) => {
    const { arn } = heldKey(kms, 'ES256')
    expect(await said(opening(awsVault(kms), arn, name))).toEqual([
      'vault_key_unusable',
      `${words}: put this right in the vault, ${replace}`,
    ])
  })

  test('does not sign by this algorithm with the key', async () => {
    const key = heldKey(kms, 'ES256')
    const asked = signing(awsVault(kms), key.arn, () => (key.usage = 'KEY_AGREEMENT'))
    expect(await said(asked)).toEqual([
      'vault_key_unusable',
      `The key is not for this algorithm: name a key of this algorithm, ${replace} (InvalidKeyUsageException)`,
    ])
  })

  test('is going to delete the key: the deletion can be cancelled', async () => {
    const key = heldKey(kms, 'ES256')
    const schedule = () => (key.state = 'PendingDeletion')
    expect(await said(signing(awsVault(kms), key.arn, schedule))).toEqual([
      'vault_key_unusable',
      `The key is in no state to sign: enable it in the vault, cancel its deletion, ${replace} (KMSInvalidStateException)`,
    ])
    expect(await said(opening(awsVault(kms), key.arn))).toEqual([
      'vault_key_unusable',
      `The key is going to be deleted: cancel its deletion and enable it in the vault, ${replace}`,
    ])
  })
})

describe('Azure Key Vault', () => {
  const vault = () => azureVault(azureConfig(azure, files))

  test.each([
    ['ES384', 'The key does not fit ES384'],
    ['RS256', 'The key does not fit RS256'],
  ] as const)('has an ES256 key where %s is configured', async (name, words) => {
    const { id } = heldVersion(azure, 'ES256')
    expect(await said(opening(await vault(), id, name))).toEqual([
      'vault_key_unusable',
      `${words}: put this right in the vault, ${replace}`,
    ])
  })

  test('does not sign by this algorithm with the key', async () => {
    const key = heldVersion(azure, 'ES256')
    const asked = signing(await vault(), key.id, () => (key.crv = 'P-384'))
    expect(await said(asked)).toEqual([
      'vault_key_unusable',
      `The vault cannot do this with the key: put this right in the vault, ${replace} (BadParameter)`,
    ])
  })

  test('has deleted the key, which it could recover', async () => {
    const key = heldVersion(azure, 'ES256', 'other')
    const remove = () => {
      azure.world.keys.delete(key.name)
      azure.world.deleted.add(key.name)
    }
    const gone = [
      'vault_key_unusable',
      'The vault has no such key: check the region or URL of the vault, the account that the credentials are of, and whether it was deleted there (KeyNotFound)',
    ]
    expect(await said(signing(await vault(), key.id, remove))).toEqual(gone)
    expect(await said(opening(await vault(), key.id))).toEqual(gone)
  })
})
