import type { KeyClient } from '@azure/keyvault-keys'
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { algorithmNames } from '../../src/signing/algorithms.ts'
import { azureSignsNot } from '../../providers/azure-key-vault/config.ts'
import { signedOverHttp, withEveryAlgorithm } from '../conformance/end-to-end.ts'
import { type AzureFiles, azureFiles, withAzureVault } from '../support/azure-vault.ts'
import { fakeKeyVault, type FakeKeyVault } from '../support/fake-key-vault.ts'
import { tenant } from '../support/fake-key-vault/tokens.ts'
import { keyVaultSdk, publicKeyFrom } from '../support/key-vault-sdk.ts'
import { type Home, homesOfThisFile, statesIn, withKey } from '../support/home.ts'

/** As a user would try it: the program's own processes, and a configuration whose vault is the fake. */

const homes = homesOfThisFile()
let vault: FakeKeyVault
let files: AzureFiles
let sdk: KeyClient

beforeAll(async () => {
  vault = await fakeKeyVault()
  files = azureFiles(vault)
  sdk = keyVaultSdk(vault, files)
})

afterAll(async () => {
  await vault[Symbol.asyncDispose]()
  rmSync(files.directory, { recursive: true })
})

const documents = 'documents: { vault: azure, alg: ES256, purpose: bytes }'
const profile = '{ name: generic-jwt, issuer: https://acme.example }'
const keyOf = (alg: string) =>
  `${alg.toLowerCase()}: { vault: azure, alg: ${alg}, profile: ${profile} }`
const grant =
  '{ caller: first-caller, key: es256, operations: [sign-claims], maxLifetime: 15m, claims: { sub: { text: 20 } } }'

function homeInAzure(change: (text: string) => string = (text) => withKey(text, documents)): Home {
  const home = homes.copy()
  home.edit((text) => change(withAzureVault(text, vault, files)))
  return home
}

describe('keys in Azure Key Vault', () => {
  test('rotate makes them, serve signs by every algorithm in every form, and the vault’s own SDK verifies', async () => {
    const others: readonly string[] = azureSignsNot
    const algorithms = algorithmNames.filter((name) => !others.includes(name))
    const signed = await signedOverHttp({
      provider: 'Azure Key Vault, the fake',
      home: homeInAzure((text) => withEveryAlgorithm(text, 'azure', algorithms)),
      algorithms,
      publicKey: (resource) => publicKeyFrom(sdk, resource),
    })
    expect(signed.filter(({ verdict }) => verdict !== 'genuine')).toEqual([])
    expect(signed).toHaveLength(27)
    expect(vault.count('ListKeys')).toBe(0)
  })

  test('a fault of the vault has its code in the answer, and its cause in the log alone', async () => {
    const home = homeInAzure((text) => `${withKey(text, keyOf('ES256'))}  - ${grant}\n`)
    await home.run(['rotate'])
    await using serving = await home.serve()
    const forbidden = { kind: 'error', status: 403, code: 'Forbidden' } as const
    // What another try could mend has to fail twice.
    const faults = [
      [{ kind: 'throttle', retryAfterSeconds: 3_600 }, 2, 503, 'vault_throttled'],
      [{ kind: 'html', status: 502 }, 2, 503, 'vault_unavailable'],
      [{ ...forbidden, inner: 'ForbiddenByRbac' }, 1, 503, 'vault_denied'],
      [{ ...forbidden, inner: 'KeyDisabled' }, 1, 503, 'vault_key_unusable'],
      [{ kind: 'alter', change: wrongSignature }, 1, 502, 'signature_invalid'],
    ] as const
    for (const [fault, times, status, code] of faults) {
      vault.next(fault, { action: 'Sign', times })
      const answer = await serving.ask('es256', { claims: { sub: 'a' } })
      expect([answer.status, answer.body.code]).toEqual([status, code])
      expect(vault.internals.filter((text) => answer.text.includes(text))).toEqual([])
    }
    const { status, body } = await serving.ask('es256', { claims: { sub: 'a' } })
    const own = vault.requests.at(-1)?.id ?? ''
    expect(status).toBe(200)
    await serving.stop()
    // By this the vault's own log has the request.
    const found = await home.json(['audit', 'find', '--jwt', body.jwt ?? ''])
    expect(own).toMatch(/^[\da-f-]{36}$/)
    expect(JSON.stringify(found.document)).toContain(`"vaultRequest":"${own}"`)
    expect(serving.stderr()).toContain('secret-name')
    expect(serving.stderr()).toContain('"path":"vaults.azure.authorityHost"')
    const tokens = [...vault.identities.tokens.keys()]
    expect(tokens.filter((token) => serving.stderr().includes(token))).toEqual([])
  })

  test('a reply that is lost leaves one version: the next run finds it by its tag', async () => {
    const home = homeInAzure()
    const before = vault.world.keys.get('documents')?.length ?? 0
    vault.next({ kind: 'lost-reply' }, { action: 'CreateKey' })
    const first = await home.run(['rotate'])
    expect(first.exitCode).toBe(5)
    expect(first.stdout).toContain('The vault cannot be reached')
    expect(await home.run(['rotate'])).toMatchObject({ exitCode: 0 })
    expect(vault.world.keys.get('documents')).toHaveLength(before + 1)
    expect(statesIn(home)).toContain('documents@1 active')
  })

  test('a missing permission is named by rotate, exit 5, and nothing of the vault’s own', async () => {
    const home = homeInAzure()
    vault.world.denied.add('create/action')
    const { exitCode, stdout, stderr } = await home.run(['rotate'])
    vault.world.denied.clear()
    expect(exitCode).toBe(5)
    const remedy =
      'The vault denied the request: allow Microsoft.KeyVault/vaults/keys/create/action'
    expect(stdout).toContain(remedy)
    expect(stdout + stderr).not.toContain(tenant)
  })

  test.each([
    ['HTTPS_PROXY', 'http://127.0.0.1:1'],
    ['AZURE_AUTHORITY_HOST', 'https://login.evil.example'],
    ['AZURE_TOKEN_CREDENTIALS', 'dev'],
  ])(
    '[C20] %s in the environment is refused by config check, serve and rotate: exit 2',
    async (name, value) => {
      const home = homeInAzure()
      for (const command of [['config', 'check'], ['rotate'], ['serve']]) {
        const { exitCode, stderr } = await home.run(command, { env: { [name]: value } })
        expect([command, exitCode]).toEqual([command, 2])
        expect(stderr).toContain(`vault azure: ${name} is set`)
      }
    },
  )

  test('an algorithm that no key of the vault has is refused by config check: exit 2', async () => {
    const home = homeInAzure((text) => withKey(text, keyOf('EdDSA')))
    const { exitCode, stderr } = await home.run(['config', 'check'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('vault azure signs no EdDSA')
  })

  test.each(['init', 'rekey'])('vault %s has nothing to do there: exit 3', async (command) => {
    const home = homeInAzure()
    const { exitCode, stderr } = await home.run(['vault', command, 'azure'])
    expect(exitCode).toBe(3)
    expect(stderr).toContain('azure is a vault of azure-key-vault, which has no files here')
  })
})

const wrongSignature = (answer: Readonly<Record<string, unknown>>) => ({
  ...answer,
  value: Buffer.alloc(64, 1).toString('base64url'),
})
