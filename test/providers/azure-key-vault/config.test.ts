import { describe, expect, test } from 'vitest'
import { algorithmNames } from '../../../src/signing/algorithms.ts'
import { authorityOf, azureKeyVaultConfig } from '../../../providers/azure-key-vault/config.ts'
import { changed, complaintsOf, loadText } from '../../support/config-text.ts'

const url = 'https://acme.vault.azure.net'
const tenantId = '72f988bf-86f1-41af-91ab-2d7cd011db47'
const clientId = '1f0e5a32-9c4b-4d7e-8a61-5b3c2d4e6f70'
const emulator = "vaultUrl: 'https://127.0.0.1:8443', authorityHost: 'https://127.0.0.1:8443'"

const withVault = (members: string) =>
  changed('\nkeys:', `\n  azure: { provider: azure-key-vault, ${members} }\nkeys:`)
const managed = (members: string) => withVault(`credential: managed-identity, ${members}`)
const atVault = (members: string) => withVault(`vaultUrl: ${url}, ${members}`)

const pathsOf = (text: string) => complaintsOf(text).map(({ path }) => path)

test('an address and a credential are all it needs', () => {
  const { config } = loadText(managed(`vaultUrl: ${url}`))
  expect(config.vaults.get('azure')).toEqual({
    provider: 'azure-key-vault',
    vaultUrl: url,
    credential: 'managed-identity',
    hsm: false,
    deadline: 2_000,
    concurrency: 64,
  })
  expect(config.warnings).toEqual([])
})

test('its keys are no software keys', () => {
  const text = managed(`vaultUrl: ${url}`).replace('allowSoftwareKeys: true\n', '')
  expect(pathsOf(text)).toEqual(['vaults.local.provider'])
})

test.each([
  ['workload-identity', `tenantId: ${tenantId}, clientId: ${clientId}`],
  ['workload-identity', `tenantId: ${tenantId}, clientId: ${clientId}, tokenFile: ./token`],
  ['managed-identity', ''],
  ['managed-identity', `clientId: ${clientId}`],
  ['client-certificate', `tenantId: acme.com, clientId: ${clientId}, certificateFile: ./a.pem`],
  ['azure-cli', ''],
  ['azure-cli', 'tenantId: acme.onmicrosoft.com'],
])('credential %s with "%s"', (credential, members) => {
  expect(pathsOf(atVault(`credential: ${credential}, ${members}`))).toEqual([])
})

describe('refused, each with its place', () => {
  test.each([
    ['no credential', atVault('hsm: true'), ['credential']],
    ['a chain of guesses', atVault('credential: default'), ['credential']],
    ['a client secret', atVault('credential: client-secret'), ['credential']],
    ['no identity', atVault('credential: workload-identity'), ['tenantId', 'clientId']],
    [
      'no certificate',
      atVault(`credential: client-certificate, tenantId: ${tenantId}, clientId: ${clientId}`),
      ['certificateFile'],
    ],
    ['a tenant for nobody', managed(`vaultUrl: ${url}, tenantId: ${tenantId}`), ['tenantId']],
    ['a token for nobody', managed(`vaultUrl: ${url}, tokenFile: ./token`), ['tokenFile']],
    ['a name for an id', managed(`vaultUrl: ${url}, clientId: billing`), ['clientId']],
    ['a path for a tenant', atVault('credential: azure-cli, tenantId: a/b'), ['tenantId']],
    ['no address', managed('hsm: true'), ['vaultUrl']],
    ['http', managed('vaultUrl: http://acme.vault.azure.net'), ['vaultUrl']],
    [
      'somebody else’s domain',
      managed('vaultUrl: https://acme.vault.azure.net.evil.example'),
      ['vaultUrl'],
    ],
    ['the domain alone', managed('vaultUrl: https://vault.azure.net'), ['vaultUrl']],
    ['a name within the name', managed('vaultUrl: https://a.b.vault.azure.net'), ['vaultUrl']],
    ['a port', managed('vaultUrl: https://acme.vault.azure.net:8443'), ['vaultUrl']],
    ['a key', managed('vaultUrl: https://acme.vault.azure.net/keys/a'), ['vaultUrl']],
    ['a managed HSM', managed('vaultUrl: https://acme.managedhsm.azure.net'), ['vaultUrl']],
    [
      'an emulator without its authority',
      managed('vaultUrl: https://127.0.0.1:8443'),
      ['vaultUrl'],
    ],
    [
      'a real vault with an emulator’s authority',
      managed(`vaultUrl: ${url}, authorityHost: 'https://127.0.0.1:8443'`),
      ['vaultUrl'],
    ],
    [
      'an authority in the open',
      managed("vaultUrl: 'https://127.0.0.1:8443', authorityHost: 'https://login.evil.example'"),
      ['authorityHost'],
    ],
    [
      'an authority by http',
      managed("vaultUrl: 'https://127.0.0.1:8443', authorityHost: 'http://127.0.0.1:8443'"),
      ['authorityHost'],
    ],
    ['a CA for a real vault', managed(`vaultUrl: ${url}, caFile: ./ca.pem`), ['caFile']],
    ['no connection', managed(`vaultUrl: ${url}, concurrency: 0`), ['concurrency']],
    ['a secret in it', managed(`vaultUrl: ${url}, clientSecret: abc`), ['clientSecret']],
  ])('%s', (_, text, members) => {
    expect(pathsOf(text)).toEqual(members.map((member) => `vaults.azure.${member}`))
  })
})

test('an emulator is taken, and said of', () => {
  const { config } = loadText(managed(`${emulator}, caFile: ./ca.pem`))
  expect(config.warnings.map(({ path }) => path)).toEqual(['vaults.azure.authorityHost'])
})

test.each([
  [url, 'https://login.microsoftonline.com'],
  ['https://acme.vault.usgovcloudapi.net', 'https://login.microsoftonline.us'],
  ['https://acme.vault.azure.cn', 'https://login.chinacloudapi.cn'],
])('tokens for %s are from %s', (vaultUrl, authority) => {
  const config = { provider: 'azure-key-vault', vaultUrl, credential: 'managed-identity' }
  expect(authorityOf(azureKeyVaultConfig.parse(config))).toBe(authority)
})

describe('keys that the vault cannot have are refused before it is asked', () => {
  const withKey = (vault: string, key: string) =>
    changed('\nkeys:', `\nkeys:\n  one: { vault: ${vault}, purpose: bytes, ${key} }`, both)
  const both = managed(`vaultUrl: ${url}`).replace(
    '\nkeys:',
    '\n  aws: { provider: aws-kms, region: eu-central-1 }\nkeys:',
  )

  test.each(algorithmNames)('%s', (name) => {
    const expected = /^[RPE]S/.test(name) ? [] : ['keys.one.alg']
    expect(pathsOf(withKey('azure', `alg: ${name}`))).toEqual(expected)
    expect(pathsOf(withKey('aws', `alg: ${name}`))).toEqual([])
    expect(pathsOf(withKey('local', `alg: ${name}`))).toEqual([])
  })

  test('in words that name the vault', () => {
    expect(complaintsOf(withKey('azure', 'alg: EdDSA'))[0]?.message).toContain(
      'vault azure signs no EdDSA',
    )
  })
})
