import { ClientCertificateCredential } from '@azure/identity'
import { CryptographyClient, KeyClient } from '@azure/keyvault-keys'
import { createPublicKey, generateKeyPairSync, hash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { algorithm } from '../../src/signing/algorithms.ts'
import { nodeVerifies, publicKeyOf } from '../conformance/verifiers.ts'
import { type AzureFiles, azureFiles, heldVersion } from './azure-vault.ts'
import { fakeKeyVault, type FakeKeyVault } from './fake-key-vault.ts'
import { clientId, tenant } from './fake-key-vault/tokens.ts'
import { publicAlgorithmNames } from './memory-key.ts'

/** The fake beside what the real service is known to do; asked with the vendor's own SDK. */

let vault: FakeKeyVault
let files: AzureFiles
let sdk: KeyClient
let identity: ClientCertificateCredential

const options = () => ({
  disableChallengeResourceVerification: true,
  retryOptions: { maxRetries: 0 },
  tlsOptions: { ca: vault.ca },
})

beforeAll(async () => {
  vault = await fakeKeyVault()
  files = azureFiles(vault)
  const certificate = readFileSync(files.certificateFile, 'utf8')
  const authority = { authorityHost: vault.origin, disableInstanceDiscovery: true, ...options() }
  identity = new ClientCertificateCredential(tenant, clientId, { certificate }, authority)
  sdk = new KeyClient(vault.origin, identity, options())
})

afterAll(async () => {
  await vault[Symbol.asyncDispose]()
  rmSync(files.directory, { recursive: true })
})

const message = new TextEncoder().encode('a message')

/** Status, code and inner code, as the SDK hands them on. */
async function answerOf(asked: Promise<unknown>): Promise<unknown> {
  const error: unknown = await asked.then(
    () => 'nothing was refused',
    (thrown: unknown) => thrown,
  )
  const { statusCode, code, details } = Object(error)
  const inner: unknown = details?.error?.innerError?.code
  return inner === undefined ? [statusCode, code] : [statusCode, code, inner]
}

const signer = (id: string) => new CryptographyClient(id, identity, options())

const digestAlgorithms = publicAlgorithmNames.filter((name) => name !== 'EdDSA')

test.each(digestAlgorithms)(
  '%s over a digest verifies with the public key it shows',
  async (name) => {
    const row = algorithm(name)
    if (row.kty === 'OKP' || row.kty === 'oct') throw new Error('it has no digest')
    const { id, name: keyName, version } = heldVersion(vault, name)
    const { key } = await sdk.getKey(keyName, { version })
    const { result, keyID } = await signer(id).sign(name, hash(row.hash, message, 'buffer'))
    const text = (bytes: Uint8Array = new Uint8Array()) => Buffer.from(bytes).toString('base64url')
    const { kty = '', crv, n, e, x, y } = key ?? {}
    const members = crv === undefined ? { n: text(n), e: text(e) } : { crv, x: text(x), y: text(y) }
    const shown = createPublicKey({ key: { kty, ...members }, format: 'jwk' })
    const spki = new Uint8Array(shown.export({ type: 'spki', format: 'der' }))
    expect(nodeVerifies(publicKeyOf(spki), row, message, result)).toBe(true)
    expect(keyID).toBe(id)
  },
)

describe('as the real service, where doubles are not', () => {
  const signing = (id: string, alg = 'ES256', length = 32) =>
    signer(id).sign(alg, new Uint8Array(length))

  test('a digest of another length, an unknown algorithm, a key of another kind: 400', async () => {
    const { id } = heldVersion(vault, 'ES256')
    expect(await answerOf(signing(id, 'ES256', 31))).toEqual([400, 'BadParameter'])
    expect(await answerOf(signing(id, 'HS256'))).toEqual([400, 'BadParameter'])
    expect(await answerOf(signing(id, 'RS256'))).toEqual([400, 'BadParameter'])
    expect(await answerOf(signing(id, 'ES384', 48))).toEqual([400, 'BadParameter'])
  })

  test('a version that is disabled signs nothing, and shows its public half: 403', async () => {
    const version = heldVersion(vault, 'ES256')
    await sdk.updateKeyProperties(version.name, version.version, { enabled: false })
    expect(version.enabled).toBe(false)
    expect(await answerOf(signing(version.id))).toEqual([403, 'Forbidden', 'KeyDisabled'])
    const { properties } = await sdk.getKey(version.name, { version: version.version })
    expect(properties.enabled).toBe(false)
  })

  test('a version that is unknown: 404, and one without its number is the present one', async () => {
    const { id, name, version } = heldVersion(vault, 'ES256')
    const none = id.replace(version, '0'.repeat(32))
    expect(await answerOf(signing(none))).toEqual([404, 'KeyNotFound'])
    expect((await sdk.getKey(name)).id).toBe(id)
    expect((await signing(id.replace(`/${version}`, ''))).result).toHaveLength(64)
  })

  test.each([
    ['exportable without a policy', { exportable: true }],
    ['a size between', { keySize: 2049 }],
    ['another size', { keySize: 8192 }],
  ])('%s is not made: 400', async (_, part) => {
    expect(await answerOf(sdk.createRsaKey('a-key', part))).toEqual([400, 'BadParameter'])
  })

  test('a name with a dot is none: 400', async () => {
    expect(await answerOf(sdk.createEcKey('a.key'))).toEqual([400, 'BadParameter'])
  })

  test('what is imported without operations does nothing', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' })
    const part = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'))
    const jwk = { kty: 'EC', crv: 'P-256', x: part(x), y: part(y), d: part(d) }
    const made = await sdk.importKey('a-bare-import', jwk)
    expect(made.keyOperations).toEqual([])
    expect(made.key).not.toHaveProperty('d', expect.anything())
  })

  test('versions come in pages', async () => {
    for (let at = 0; at < 5; at += 1) vault.add('paged')
    const sizes: number[] = []
    for await (const page of sdk.listPropertiesOfKeyVersions('paged').byPage({ maxPageSize: 2 })) {
      sizes.push(page.length)
    }
    expect(sizes).toEqual([2, 2, 1])
  })
})

describe('who asks', () => {
  test('a stranger’s certificate, another application: no token', async () => {
    const stranger = await fakeKeyVault()
    const other = azureFiles(stranger)
    const certificate = readFileSync(other.certificateFile, 'utf8')
    const authority = { authorityHost: vault.origin, disableInstanceDiscovery: true, ...options() }
    for (const [id, pem] of [
      [clientId, certificate],
      ['00000000-0000-0000-0000-000000000000', readFileSync(files.certificateFile, 'utf8')],
    ] as const) {
      const asking = new ClientCertificateCredential(tenant, id, { certificate: pem }, authority)
      await expect(asking.getToken('https://vault.azure.net/.default')).rejects.toThrow(/AADSTS/)
    }
    await stranger[Symbol.asyncDispose]()
    rmSync(other.directory, { recursive: true })
  })

  test('a token that has ended, or is for another resource, is none here: 401', async () => {
    const { name } = heldVersion(vault, 'ES256')
    for (const known of [
      { resource: 'https://vault.azure.net', expiresAt: 1 },
      { resource: 'https://graph.microsoft.com', expiresAt: 4e12 },
    ]) {
      vault.identities.tokens.set('a-bad-token', known)
      const bad = { getToken: async () => ({ token: 'a-bad-token', expiresOnTimestamp: 4e12 }) }
      const asked = new KeyClient(vault.origin, bad, options()).getKey(name)
      expect(await answerOf(asked)).toEqual([401, 'Unauthorized'])
    }
  })
})
