import { hash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/lib/bytes.ts'
import { algorithm, type AlgorithmName } from '../../../src/signing/algorithms.ts'
import { publicKeyFromSpki } from '../../../src/signing/public-key.ts'
import { signMessage } from '../../../src/signing/sign.ts'
import {
  azureConfig,
  type AzureFiles,
  azureFiles,
  azureVault,
  heldVersion,
} from '../../support/azure-vault.ts'
import { fakeKeyVault, type FakeKeyVault } from '../../support/fake-key-vault.ts'

const { signal } = new AbortController()
let vault: FakeKeyVault
let files: AzureFiles

beforeAll(async () => {
  vault = await fakeKeyVault()
  files = azureFiles(vault)
})
afterAll(async () => {
  await vault[Symbol.asyncDispose]()
  rmSync(files.directory, { recursive: true })
})

async function opened(name: AlgorithmName) {
  const { id } = heldVersion(vault, name)
  const signer = await (
    await azureVault(azureConfig(vault, files))
  ).open({ resource: id, algorithm: name }, signal)
  const spki = await signer.publicKey(signal)
  return { signer, algorithm: algorithm(name), publicKey: spki && publicKeyFromSpki(spki), id }
}

test('what the vault calls the request is told, so that its log and our audit can be compared', async () => {
  const key = await opened('ES256')
  const told: string[] = []
  for (const text of ['hello', 'hello'])
    await signMessage(key, utf8(text), signal, (id) => told.push(id))
  expect(told).toEqual(vault.requests.slice(-2).map(({ id }) => id))
  expect(new Set(told).size).toBe(2)
})

describe('[C4] [C5] what is sent', () => {
  test.each([
    ['RS256', 'sha256'],
    ['RS384', 'sha384'],
    ['RS512', 'sha512'],
    ['PS256', 'sha256'],
    ['PS384', 'sha384'],
    ['PS512', 'sha512'],
    ['ES256', 'sha256'],
    ['ES384', 'sha384'],
    ['ES512', 'sha512'],
  ] as const)('%s: the %s of any message, to the version’s own URL', async (name, digest) => {
    const key = await opened(name)
    for (const length of [0, 1, 16_384]) {
      const message = new Uint8Array(length).fill(0x61)
      await signMessage(key, message, signal)
      const request = vault.requests.at(-1)
      expect(request?.body).toEqual({ alg: name, value: hash(digest, message, 'base64url') })
      expect(request?.url.split('?')[0]).toBe(`${new URL(key.id).pathname}/sign`)
    }
  })

  test('a message without its digest is refused before it is billed', async () => {
    const { signer, algorithm: row } = await opened('ES256')
    const before = vault.requests.length
    const asked = signer.sign({ message: utf8('a'), digest: undefined }, row, signal)
    await expect(asked).rejects.toMatchObject({ code: 'vault_key_unusable' })
    expect(vault.requests.length).toBe(before)
  })
})
