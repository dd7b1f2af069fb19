import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adopt } from '../../../src/rotation/adopt.ts'
import { keyName } from '../../../src/keys/key.ts'
import { algorithm, type AlgorithmName } from '../../../src/signing/algorithms.ts'
import { spkiOf } from '../../../src/signing/public-key.ts'
import {
  azureConfig,
  type AzureFiles,
  azureFiles,
  azureVault,
  heldVersion,
} from '../../support/azure-vault.ts'
import { fakeKeyVault, type FakeKeyVault } from '../../support/fake-key-vault.ts'
import type { FakeVersion } from '../../support/fake-key-vault/keys.ts'
import { memoryKeyPair } from '../../support/memory-key.ts'

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

const open = async (resource: string, name: AlgorithmName = 'ES256') =>
  (await azureVault(azureConfig(vault, files))).open({ resource, algorithm: name }, signal)

const shown = (part: Partial<FakeVersion>, name: AlgorithmName = 'ES256') =>
  Object.assign(heldVersion(vault, name), part).id

describe('[C15] a key that can do more than sign, or leave, is refused when it is opened', () => {
  const all = ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey']
  test.each([
    ['every operation', { keyOps: all }, 'The key can do more than sign'],
    ['decrypting', { keyOps: ['sign', 'decrypt'] }, 'The key can do more than sign'],
    ['unwrapping', { keyOps: ['sign', 'unwrapKey'] }, 'The key can do more than sign'],
    ['an operation to come', { keyOps: ['sign', 'agree'] }, 'The key can do more than sign'],
    ['verifying alone', { keyOps: ['verify'] }, 'The key is not for signing'],
    ['nothing', { keyOps: [] }, 'The key is not for signing'],
    ['leaving', { exportable: true }, 'The key can leave the vault'],
    ['a release policy', { releasePolicy: { data: 'e30' } }, 'The key can leave the vault'],
    [
      'a certificate',
      { managed: true },
      'The key belongs to a certificate, which can be taken out with it',
    ],
    ['an end', { expiresSeconds: 1_000_000_000 }, 'The key has expired'],
    ['a beginning', { notBeforeSeconds: 4_000_000_000 }, 'The key is not valid yet'],
    ['a switch', { enabled: false }, 'The key is disabled'],
    ['symmetry', { kty: 'oct-HSM' }, 'The key is of no kind that signs here'],
    ['another curve', { crv: 'P-256K' }, 'The key does not fit ES256'],
    ['another kind', { kty: 'RSA' }, 'The key is of no kind that signs here'],
  ] as const)('%s: %o: "%s"', async (_, part, message) => {
    const opening = open(shown(part))
    await expect(opening).rejects.toMatchObject({ code: 'vault_key_unusable', message })
  })

  test.each([
    ['RS256', 'ES256'],
    ['ES256', 'RS256'],
    ['ES384', 'ES256'],
    ['PS256', 'EdDSA'],
    ['RS256', 'HS256'],
  ] as const)('a key of %s is none of %s', async (of, name) => {
    const { id } = heldVersion(vault, of)
    const message = `The key does not fit ${name}`
    await expect(open(id, name)).rejects.toMatchObject({ code: 'vault_key_unusable', message })
  })
})

describe('what is opened', () => {
  test.each([
    [{}, 'RS256', 'kms-generated'],
    [{ kty: 'RSA-HSM' }, 'RS256', 'hsm-generated'],
    [{ kty: 'EC-HSM' }, 'ES512', 'hsm-generated'],
    [{ tags: { 'chancery:imported': 'true' } }, 'ES256', 'kms-imported'],
    [{ tags: { 'chancery:imported': 'true' }, kty: 'RSA-HSM' }, 'PS256', 'hsm-imported'],
    [{ tags: { 'chancery:imported': 'false' } }, 'ES256', 'kms-generated'],
  ] as const)('%o of %s has custody %s', async (part, name, custody) => {
    expect((await open(shown(part, name), name)).custody).toBe(custody)
  })

  test.each([
    ['an end that is to come', { expiresSeconds: 4_000_000_000 }],
    ['a beginning that has been', { notBeforeSeconds: 1_000_000_000 }],
    ['signing alone', { keyOps: ['sign'] }],
  ])('%s is no hindrance', async (_, part) => {
    expect((await open(shown(part))).resource).toContain('/keys/es256-one/')
  })

  test('[C13] short coordinates and leading zeros are the same key', async () => {
    const { x = '', y = '' } = memoryKeyPair('ES256').publicKey.object.export({ format: 'jwk' })
    const padded = (text: string) =>
      Buffer.concat([Buffer.alloc(2), Buffer.from(text, 'base64url')]).toString('base64url')
    const version = heldVersion(vault, 'ES256')
    version.shownJwk = { crv: 'P-256', x: padded(x), y: padded(y) }
    const spki = await (await open(version.id)).publicKey(signal)
    expect(spki).toEqual(spkiOf(memoryKeyPair('ES256').publicKey.object))
  })

  test('a public half that is no point is refused', async () => {
    const version = heldVersion(vault, 'ES256')
    version.shownJwk = { crv: 'P-256', x: 'AQ', y: 'AQ' }
    await expect(open(version.id)).rejects.toMatchObject({ code: 'vault_key_unusable' })
  })
})

describe('[C7] the version is pinned', () => {
  test('an id without a version is the present one, and stays it', async () => {
    const first = heldVersion(vault, 'ES384')
    const keyId = first.id.slice(0, first.id.lastIndexOf('/'))
    const signer = await open(keyId, 'ES384')
    expect(signer.resource).toBe(first.id)
    const second = heldVersion(vault, 'ES384')
    const input = { message: new Uint8Array(), digest: new Uint8Array(48) }
    await signer.sign(input, algorithm('ES384'), signal)
    expect(vault.requests.at(-1)?.url).toContain(first.version)
    expect((await open(keyId, 'ES384')).resource).toBe(second.id)
  })

  test('a version row holds the version, whatever the catalogue named', async () => {
    const { id } = heldVersion(vault, 'ES512')
    const key = {
      name: keyName.parse('reports'),
      vault: 'azure',
      algorithm: algorithm('ES512'),
      modulusBits: undefined,
      purpose: 'bytes',
      profile: undefined,
      registry: undefined,
      source: 'generated',
      methods: [],
    } as const
    const opened = await azureVault(azureConfig(vault, files))
    const resource = id.slice(0, id.lastIndexOf('/'))
    const found = { key, n: 1, resource, vault: opened, now: 1, actor: 'ada@host' }
    expect((await adopt(found, signal)).resource).toBe(id)
  })

  test('another key’s answer is refused', async () => {
    const { id } = heldVersion(vault, 'ES256')
    const other = heldVersion(vault, 'ES256', 'other')
    const change = (answer: Readonly<Record<string, unknown>>) => {
      const key = { ...Object(answer['key']), kid: other.id }
      return { ...answer, key }
    }
    vault.next({ kind: 'alter', change }, { action: 'GetKey' })
    await expect(open(id)).rejects.toMatchObject({
      code: 'vault_key_unusable',
      message: 'The vault answered for another key',
    })
  })

  test('a key of another vault is refused before anything is asked', async () => {
    const before = vault.requests.length
    const elsewhere = 'https://other.vault.azure.net/keys/a/00000000000000000000000000000000'
    await expect(open(elsewhere)).rejects.toMatchObject({ message: 'The key is in another vault' })
    expect(vault.requests.length).toBe(before)
  })
})
