import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { algorithm, type AlgorithmName } from '../../../src/signing/algorithms.ts'
import { publicKeyFromSpki } from '../../../src/signing/public-key.ts'
import { signMessage } from '../../../src/signing/sign.ts'
import type { Vault } from '../../../src/signing/signer.ts'
import { describeAltered, type Share } from '../../conformance/altered-suite.ts'
import {
  azureConfig,
  type AzureFiles,
  azureFiles,
  azureVault,
  heldVersion,
} from '../../support/azure-vault.ts'
import { fakeKeyVault, type FakeKeyVault } from '../../support/fake-key-vault.ts'
import { patience } from '../../support/signing-service.ts'

let fake: FakeKeyVault
let files: AzureFiles
let vault: Vault

beforeAll(async () => {
  fake = await fakeKeyVault()
  files = azureFiles(fake)
  vault = await azureVault(azureConfig(fake, files))
})
afterAll(async () => {
  await fake[Symbol.asyncDispose]()
  rmSync(files.directory, { recursive: true })
})

async function open(name: AlgorithmName) {
  const { id } = heldVersion(fake, name)
  const signer = await vault.open({ resource: id, algorithm: name }, patience)
  const spki = await signer.publicKey(patience)
  return { signer, algorithm: algorithm(name), publicKey: spki && publicKeyFromSpki(spki) }
}

/** Ten thousand: most of what is quick, and of every algorithm enough for all kinds of answers. */
const shares: readonly Share[] = [
  { algorithm: 'ES256', form: 'message', answers: 4_500 },
  { algorithm: 'RS256', form: 'message', answers: 3_500 },
  { algorithm: 'RS384', form: 'message', answers: 100 },
  { algorithm: 'RS512', form: 'message', answers: 100 },
  { algorithm: 'PS256', form: 'message', answers: 500 },
  { algorithm: 'PS384', form: 'message', answers: 100 },
  { algorithm: 'PS512', form: 'message', answers: 100 },
  { algorithm: 'ES384', form: 'message', answers: 150 },
  { algorithm: 'ES512', form: 'message', answers: 150 },
  { algorithm: 'RS256', form: 'digest', answers: 400 },
  { algorithm: 'PS256', form: 'digest', answers: 200 },
  { algorithm: 'ES256', form: 'digest', answers: 150 },
  { algorithm: 'ES512', form: 'digest', answers: 50 },
]

describeAltered({
  provider: 'Azure Key Vault',
  shares,
  open,
  alterNext: (change) => fake.next({ kind: 'alter', change }, { action: 'Sign' }),
  wire: {
    signature: 'value',
    key: 'kid',
    alphabet: 'base64url',
    encoded: (jose) => jose,
    others: (_, signature) => ({
      'of another alphabet': () => ({ value: `${signature.toString('base64url')}+/` }),
      padded: () => ({ value: `${signature.toString('base64url')}==` }),
    }),
  },
})

test('there are ten thousand', () => {
  expect(shares.reduce((sum, { answers }) => sum + answers, 0)).toBeGreaterThanOrEqual(10_000)
})

/** What is no text, the SDK itself does not take. */
test.each([[null], [42], [true], [['AAAA']], [{ value: 'AAAA' }], ['%%%%']])(
  'a signature of another type is not released: %j',
  async (value) => {
    const key = await open('ES256')
    fake.next({ kind: 'alter', change: (answer) => ({ ...answer, value }) }, { action: 'Sign' })
    await expect(signMessage(key, Buffer.from('a message'), patience)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:signature_invalid|vault_unavailable)$/),
    })
  },
)
