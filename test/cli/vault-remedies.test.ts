import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { authority } from '../support/certificates.ts'
import { awsEnvironment, withAwsVault } from '../support/aws-vault.ts'
import { type AzureFiles, azureFiles, withAzureVault } from '../support/azure-vault.ts'
import { portOf } from '../support/document-server.ts'
import { fakeKeyVault, type FakeKeyVault } from '../support/fake-key-vault.ts'
import { tenant } from '../support/fake-key-vault/tokens.ts'
import { fakeKms, type FakeKms } from '../support/fake-kms.ts'
import { account } from '../support/fake-kms/keys.ts'
import { freePort } from '../support/free-port.ts'
import { type Home, homesOfThisFile, withKey } from '../support/home.ts'
import { selfSigned } from '../support/self-signed.ts'

/** As an operator meets them: the program's own processes, and a vault that is out of reach, or says no. */

const homes = homesOfThisFile()
const env = awsEnvironment
let kms: FakeKms
let vault: FakeKeyVault
let files: AzureFiles
let closed: string
let impostor: Impostor

beforeAll(async () => {
  kms = await fakeKms()
  vault = await fakeKeyVault()
  files = azureFiles(vault)
  closed = `127.0.0.1:${await freePort()}`
  impostor = await selfSignedServer()
})
afterAll(async () => {
  await kms[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
  await impostor[Symbol.asyncDispose]()
  rmSync(files.directory, { recursive: true })
})

const key = 'documents: { vault: aws, alg: ES256, purpose: bytes }'

function homeAt(endpoint: string): Home {
  const home = homes.copy()
  home.edit((text) => withKey(withAwsVault(text, endpoint), key))
  return home
}

const noCredentials = {
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
}

const refused =
  'The vault cannot be reached: nothing listens at the vault’s address; check the region, URL or endpoint in its configuration (ECONNREFUSED)'
/** Which of two codes it is depends on who resolves names here. */
const unresolved =
  'The vault cannot be reached: the vault’s name is not known; check the region, URL or endpoint in its configuration, and DNS (E'
const untrusted =
  'The vault cannot be reached: the vault’s TLS certificate is not trusted; check the address and what stands before the vault, and name a private authority in NODE_EXTRA_CA_CERTS (DEPTH_ZERO_SELF_SIGNED_CERT)'

describe('rotate, where AWS KMS', () => {
  test.each([
    ['has nobody listening', () => `http://${closed}`, env, refused],
    ['has no such name', () => 'https://kms.nowhere.invalid', env, unresolved],
    ['has a certificate of its own making', () => impostor.origin, env, untrusted],
    [
      'is asked without credentials',
      () => kms.endpoint,
      noCredentials,
      'No credentials for the vault can be found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile in `credentials`, or run where a role is attached (CredentialsProviderError)',
    ],
  ])('%s, says what to do, and the code of the cause', async (_, at, environment, words) => {
    const home = homeAt(at())
    if (at().includes('nowhere')) {
      home.edit((text) => text.replace("endpoint: 'https", "trustEndpoint: true, endpoint: 'https"))
    }
    expect(await failureOf(home, ['rotate'], environment)).toEqual(saying(words))
  })

  test.each([
    ['ExpiredTokenException', 'they have expired: renew them where they come from'],
    [
      'InvalidSignatureException',
      'set the clock of this host by NTP, and if it is right, check the secret',
    ],
    [
      'UnrecognizedClientException',
      'the access key is unknown to the vault, or of another partition of its cloud',
    ],
  ])('does not accept the credentials by %s, says what to do', async (type, remedy) => {
    kms.next({ kind: 'error', type }, { action: 'CreateKey' })
    const words = `The vault does not accept the credentials: check them, and the clock; ${remedy} (${type})`
    expect(await failureOf(homeAt(kms.endpoint), ['rotate'], env)).toEqual(saying(words))
  })

  test('denies it, names the missing action', async () => {
    kms.next({ kind: 'error', type: 'AccessDeniedException' }, { action: 'CreateKey' })
    const words = 'The vault denied the request: allow kms:CreateKey (AccessDeniedException)'
    expect(await failureOf(homeAt(kms.endpoint), ['rotate'], env)).toEqual(saying(words))
  })

  test('throttles, says to come again', async () => {
    kms.next({ kind: 'throttle', retryAfterSeconds: 60 }, { action: 'CreateKey' })
    const words =
      'The vault is throttling: try again in a while, or have its quota raised (ThrottlingException)'
    expect(await failureOf(homeAt(kms.endpoint), ['rotate'], env)).toEqual(saying(words))
  })
})

test('sync says what to do of a vault with nobody listening, and of a key that it has no more', async () => {
  const home = homeAt(kms.endpoint)
  expect(await home.run(['rotate'], { env })).toMatchObject({ exitCode: 0 })
  kms.next({ kind: 'error', type: 'NotFoundException' }, { action: 'DescribeKey' })
  const words =
    'documents: documents@1: The vault has no such key: check the region or URL of the vault, the account that the credentials are of, and whether it was deleted there (NotFoundException)'
  expect(await failureOf(home, ['sync'], env)).toEqual(saying(words))
  home.edit((text) => text.replace(kms.endpoint, `http://${closed}`))
  expect(await failureOf(home, ['sync'], env)).toEqual(saying(refused))
})

test('import says what to do of a vault with nobody listening, as text and as JSON', async () => {
  const home = homeAt(`http://${closed}`)
  home.edit((text) => text.replace(key, key.replace('purpose', 'source: imported, purpose')))
  const { key: pem } = authority('an app').issue({ keyType: 'P-256' })
  const file = join(home.directory, 'source.pem')
  writeFileSync(file, pem, { mode: 0o600 })
  const args = ['import', 'documents', '--pem', file]
  const [, remedy = ''] = /: (nothing .*)/.exec(refused) ?? []
  const asText = await home.run(args, { env })
  expect(asText).toMatchObject({ exitCode: 5, stderr: expect.stringContaining(remedy) })
  const { document } = await home.json(args, { env })
  // It looks first for what the run before may have left.
  const message = expect.stringContaining(`run it again; ${remedy}`)
  expect(document).toMatchObject({ error: { code: 'vault_unavailable', message } })
})

describe('rotate, where Azure Key Vault', () => {
  const inAzure = 'documents: { vault: azure, alg: ES256, purpose: bytes }'

  function homeInAzure(change: (text: string) => string): Home {
    const home = homes.copy()
    home.edit((text) => change(withKey(withAzureVault(text, vault, files), inAzure)))
    return home
  }

  test('has nobody listening, says what to do', async () => {
    const home = homeInAzure((text) => text.replaceAll(vault.origin, `https://${closed}`))
    expect(await failureOf(home, ['rotate'], {})).toEqual(saying(refused))
  })

  test('has a certificate that no authority vouches for, says what to do', async () => {
    const other = join(files.directory, 'other.pem')
    writeFileSync(other, authority('another').certificate)
    const home = homeInAzure((text) => text.replace(files.caFile, other))
    expect(await failureOf(home, ['rotate'], {})).toEqual(
      saying('certificate is not trusted; check the address'),
    )
  })

  test('lets no request from this network in, says what to do', async () => {
    const forbidden = { kind: 'error', status: 403, code: 'Forbidden' } as const
    vault.next({ ...forbidden, inner: 'ForbiddenByFirewall' }, { action: 'CreateKey' })
    const words =
      'The vault takes no requests from this network: let this network through the vault’s firewall, or use its private endpoint (Forbidden)'
    const home = homeInAzure((text) => text)
    expect(await failureOf(home, ['rotate'], {})).toEqual(saying(words))
  })
})

async function failureOf(home: Home, args: readonly string[], environment = {}) {
  const { exitCode, stdout, stderr } = await home.run(args, { env: environment })
  const inner = ['arn:', account, tenant, 'nowhere.invalid', closed, 'secret-name', 'AKIDEXAMPLE']
  return { exitCode, stdout, shown: inner.filter((text) => (stdout + stderr).includes(text)) }
}

/** Exit 5, the sentence, and nothing of the vault's own. */
function saying(words: string) {
  return { exitCode: 5, stdout: expect.stringContaining(words), shown: [] }
}

type Impostor = AsyncDisposable & { readonly origin: string }

async function selfSignedServer(): Promise<Impostor> {
  const server = createServer(selfSigned({ ip: '127.0.0.1' })).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `https://127.0.0.1:${portOf(server)}`,
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}
