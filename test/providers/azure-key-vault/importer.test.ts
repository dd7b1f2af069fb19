import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ulidSource } from '../../../src/lib/ulid.ts'
import type { ImportRequest } from '../../../src/signing/signer.ts'
import {
  azureConfig,
  type AzureFiles,
  azureFiles,
  azureVault,
  quickAzureImporter,
} from '../../support/azure-vault.ts'
import { fakeKeyVault, type FakeKeyVault } from '../../support/fake-key-vault.ts'
import { memoryKey } from '../../support/memory-key.ts'
import { unhurried } from '../../support/key-maker.ts'

const { signal } = new AbortController()
const newId = ulidSource()
let vault: FakeKeyVault
let files: AzureFiles

beforeEach(async () => {
  vault = await fakeKeyVault()
  files = azureFiles(vault)
})
afterEach(async () => {
  await vault[Symbol.asyncDispose]()
  rmSync(files.directory, { recursive: true })
})

const importer = (part = {}) => quickAzureImporter(azureConfig(vault, files, part))

const request = (part: Partial<ImportRequest> = {}): ImportRequest => ({
  intentId: newId(1_800_000_000_000),
  name: 'bot@3',
  algorithm: 'ES256',
  material: memoryKey('ES256').secret,
  ...part,
})

describe('[C14] what is sent', () => {
  test.each(['RS256', 'ES256'] as const)(
    '%s: one request, a name of its own, what it may do inside the JWK, and tags',
    async (algorithm) => {
      const asked = request({ algorithm, material: memoryKey(algorithm).secret })
      const id = await (await importer()).import(asked, signal)
      expect(vault.requests.map(({ action }) => action)).toEqual(['ImportKey', 'GetKey'])
      const jwk = asked.material.export({ format: 'jwk' })
      expect(vault.requests[0]?.body).toEqual({
        key: { ...jwk, key_ops: ['sign', 'verify'] },
        Hsm: false,
        attributes: { enabled: true, exportable: false },
        tags: { 'chancery:intent': asked.intentId, 'chancery:imported': 'true' },
      })
      expect(id).toContain(`/keys/bot-${asked.intentId.toLowerCase()}/`)
      const opened = await azureVault(azureConfig(vault, files))
      const signer = await opened.open({ resource: id, algorithm }, signal)
      expect(signer.custody).toBe('kms-imported')
    },
  )

  test('into an HSM, where that is configured', async () => {
    const id = await (await importer({ hsm: true })).import(request(), signal)
    const opened = await azureVault(azureConfig(vault, files))
    const { custody } = await opened.open({ resource: id, algorithm: 'ES256' }, signal)
    expect(custody).toBe('hsm-imported')
  })
})

describe('what is refused, before anything is sent', () => {
  const small = generateKeyPairSync('rsa', { modulusLength: 2064 }).privateKey
  test.each([
    ['a secret', { algorithm: 'HS256', material: createSecretKey(randomBytes(32)) }],
    ['Ed25519', { algorithm: 'EdDSA', material: memoryKey('EdDSA').secret }],
    ['another curve', { algorithm: 'ES384', material: memoryKey('ES256').secret }],
    ['another kind', { algorithm: 'RS256', material: memoryKey('ES256').secret }],
    ['a size that the vault has not', { algorithm: 'RS256', material: small }],
  ] as const)('%s', async (_, part) => {
    const asked = (await importer()).import(request(part), signal)
    await expect(asked).rejects.toMatchObject({ code: 'vault_key_unusable' })
    expect(vault.requests).toEqual([])
  })
})

describe('faults', () => {
  test('a lost reply: vault_unavailable, and the intent finds the key', async () => {
    const asked = request()
    const taking = await importer()
    vault.next({ kind: 'lost-reply' }, { action: 'ImportKey' })
    await expect(taking.import(asked, signal)).rejects.toMatchObject({ code: 'vault_unavailable' })
    const [found] = await taking.find(asked, signal, unhurried)
    expect(found?.resource).toContain(asked.intentId.toLowerCase())
    expect(vault.count('ImportKey')).toBe(1)
    const listed = vault.requests.filter(({ action }) => action === 'ListKeys')
    const path = `/keys/bot-${asked.intentId.toLowerCase()}/versions?`
    expect(listed.map(({ url }) => url)).toEqual([expect.stringContaining(path)])
  })

  test('no permission is named, and no error holds the material', async () => {
    vault.world.denied.add('import/action')
    const { d = 'none' } = memoryKey('ES256').secret.export({ format: 'jwk' })
    const error: unknown = await (
      await importer()
    )
      .import(request(), signal)
      .catch((e: unknown) => e)
    expect(error).toMatchObject({
      code: 'vault_denied',
      message: 'The vault denied the request: allow Microsoft.KeyVault/vaults/keys/import/action',
    })
    expect(error instanceof Error && error.message.includes(d)).toBe(false)
  })
})
