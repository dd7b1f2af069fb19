import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { awsEnvironment, withAwsVault } from '../support/aws-vault.ts'
import { type AzureFiles, azureFiles, withAzureVault } from '../support/azure-vault.ts'
import { fakeKeyVault, type FakeKeyVault } from '../support/fake-key-vault.ts'
import { fakeKms, type FakeKms } from '../support/fake-kms.ts'
import { figure } from '../support/figure.ts'
import { type Home, homesOfThisFile, withKey } from '../support/home.ts'
import { put } from '../support/imported-keys.ts'

/** As a user would do it: a file in, a cloud configured, and the signature that comes out over HTTP. */

const homes = homesOfThisFile()
let kms: FakeKms
let vault: FakeKeyVault
let files: AzureFiles

beforeAll(async () => {
  kms = await fakeKms()
  vault = await fakeKeyVault()
  files = azureFiles(vault)
})
afterAll(async () => {
  await kms[Symbol.asyncDispose]()
  await vault[Symbol.asyncDispose]()
  rmSync(files.directory, { recursive: true })
})

type Source = readonly [key: string, alg: 'RS256' | 'ES256' | 'HS256', secret: KeyObject]

/** RSA-4096 takes seconds to make: it is a fixed one. */
const fixed = readFileSync(new URL('../vectors/wrapping-key.json', import.meta.url), 'utf8')
const pairs: readonly Source[] = [
  ['rsa-2048', 'RS256', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  ['rsa-4096', 'RS256', createPrivateKey({ key: JSON.parse(fixed), format: 'jwk' })],
  ['p-256', 'ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
]
const all: readonly Source[] = [['hmac', 'HS256', createSecretKey(randomBytes(32))], ...pairs]
const message = Buffer.from('a message')

const clouds = [
  ['aws', all, (text: string) => withAwsVault(text, kms.endpoint)],
  ['azure', pairs, (text: string) => withAzureVault(text, vault, files)],
] as const

const env = awsEnvironment

test.each(clouds)(
  'what is imported into %s by command signs over HTTP as its source does',
  async (name, sources, withVault) => {
    const home = homes.copy()
    home.edit((text) => withSources(withVault(text), name, sources))
    for (const source of sources) {
      expect(await home.run(importing(home, source), { env })).toMatchObject({ exitCode: 0 })
    }
    await using serving = await home.serve({ env })
    const same: string[] = []
    for (const [key, alg, secret] of sources) {
      const { body } = await serving.ask(key, { message: message.toString('base64') })
      const signature = Buffer.from(body.signature ?? '', 'base64url')
      if (isOf(secret, alg, signature)) same.push(key)
    }
    expect(same).toEqual(sources.map(([key]) => key))
    for (const [key, , secret] of sources.filter(([, , { type }]) => type === 'private')) {
      const { stdout } = await home.run(['keys', 'show', key, '--pem'], { env })
      expect(createPublicKey(stdout).equals(createPublicKey(secret))).toBe(true)
    }
    figure(
      `${name}, the fake: ${same.length} of ${sources.length} imported keys sign as their source`,
    )
  },
)

function withSources(text: string, vaultName: string, sources: readonly Source[]): string {
  const keys = sources.map(
    ([key, alg]) =>
      `${key}: { vault: ${vaultName}, alg: ${alg}, source: imported, purpose: bytes }`,
  )
  const grants = sources.map(
    ([key]) => `  - { caller: first-caller, key: ${key}, operations: [sign-message] }\n`,
  )
  return `${keys.reduce(withKey, text)}${grants.join('')}`
}

function importing(home: Home, [key, , secret]: Source): readonly string[] {
  if (secret.type === 'secret') {
    const file = put(home, key, secret.export().toString('base64'))
    return ['import', key, '--secret', file, '--secret-encoding', 'base64']
  }
  return ['import', key, '--pem', put(home, key, secret.export({ type: 'pkcs8', format: 'pem' }))]
}

/** Where signatures are random, that it verifies is all there is. */
function isOf(secret: KeyObject, alg: Source[1], signature: Buffer): boolean {
  if (alg === 'HS256')
    return signature.equals(createHmac('sha256', secret).update(message).digest())
  if (alg === 'RS256') return signature.equals(sign('sha256', message, secret))
  const key = { key: createPublicKey(secret), dsaEncoding: 'ieee-p1363' } as const
  return verify('sha256', message, key, signature)
}
