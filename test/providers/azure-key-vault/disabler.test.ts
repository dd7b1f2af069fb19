import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  azureConfig,
  azureDisablerOf,
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

const disable = async (resource: string) =>
  (await azureDisablerOf(azureConfig(vault, files))).disable(resource, signal)

test('[C12] that version can be opened no more, and the others of its key are as they were', async () => {
  const first = heldVersion(vault, 'ES256')
  const second = heldVersion(vault, 'ES256')
  await disable(first.id)
  expect(vault.requests.at(-1)?.body).toEqual({ attributes: { enabled: false } })
  const opened = await azureVault(azureConfig(vault, files))
  const opening = opened.open({ resource: first.id, algorithm: 'ES256' }, signal)
  await expect(opening).rejects.toMatchObject({ message: 'The key is disabled' })
  expect([first.enabled, second.enabled]).toEqual([false, true])
})

test('disabling twice is one disabled version', async () => {
  const { id } = heldVersion(vault, 'ES256')
  await disable(id)
  await disable(id)
  expect(vault.at(id).enabled).toBe(false)
})

test('a version that is gone is no failure', async () => {
  const { id, version } = heldVersion(vault, 'ES256')
  await expect(disable(id.replace(version, '0'.repeat(32)))).resolves.toBeUndefined()
})

describe('what is not known to be disabled is not reported as it', () => {
  test.each([
    [403, 'Forbidden', 'vault_denied'],
    [429, 'Throttled', 'vault_throttled'],
    [500, 'InternalServerError', 'vault_unavailable'],
    [400, 'BadParameter', 'vault_key_unusable'],
    // Not by the sentence that we make of it: only the vault's 404 says that it is gone.
    [409, 'KeyNotFound', 'vault_key_unusable'],
  ])('%i %s is %s', async (status, code, expected) => {
    const { id } = heldVersion(vault, 'ES256')
    vault.next({ kind: 'error', status, code }, { action: 'UpdateKey' })
    await expect(disable(id)).rejects.toMatchObject({ code: expected })
    expect(vault.at(id).enabled).toBe(true)
  })
})

test('a key without its version, or of another vault, is refused before anything is asked', async () => {
  const { id } = heldVersion(vault, 'ES256')
  const before = vault.requests.length
  const others = [
    id.slice(0, id.lastIndexOf('/')),
    id.replace(vault.origin, 'https://b.vault.azure.net'),
    '',
  ]
  for (const resource of others) {
    await expect(disable(resource)).rejects.toMatchObject({ code: 'vault_key_unusable' })
  }
  expect(vault.requests.length).toBe(before)
})
