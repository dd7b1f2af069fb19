import { KMSClient } from '@aws-sdk/client-kms'
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { algorithmNames } from '../../src/signing/algorithms.ts'
import { signedOverHttp, withEveryAlgorithm } from '../conformance/end-to-end.ts'
import { awsEnvironment, withAwsVault } from '../support/aws-vault.ts'
import { askedOfKms } from '../support/kms-sdk.ts'
import { fakeKms, type FakeKms } from '../support/fake-kms.ts'
import { accountSecret, region, secretOf } from '../support/fake-kms/keys.ts'
import { type Home, homesOfThisFile, statesIn, withKey } from '../support/home.ts'

/** As a user would try it: the program's own processes, and a configuration whose vault is the fake. */

const homes = homesOfThisFile()
const env = awsEnvironment
let kms: FakeKms
let sdk: KMSClient

beforeAll(async () => {
  kms = await fakeKms()
  sdk = new KMSClient({
    region,
    endpoint: kms.endpoint,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: accountSecret },
  })
})

afterAll(async () => {
  sdk.destroy()
  await kms[Symbol.asyncDispose]()
})

const documents = 'documents: { vault: aws, alg: HS256, purpose: bytes }'
const es256 =
  'es256: { vault: aws, alg: ES256, profile: { name: generic-jwt, issuer: https://acme.example } }'
const grant =
  '{ caller: first-caller, key: es256, operations: [sign-claims], maxLifetime: 15m, claims: { sub: { text: 20 } } }'

function homeInAws(change: (text: string) => string = (text) => withKey(text, documents)): Home {
  const home = homes.copy()
  home.edit((text) => change(withAwsVault(text, kms.endpoint)))
  return home
}

describe('keys in AWS KMS', () => {
  test('rotate makes them, serve signs by every algorithm in every form, and the vault’s own SDK verifies', async () => {
    const home = homeInAws((text) => withEveryAlgorithm(text, 'aws', algorithmNames))
    const ofKms = askedOfKms(sdk)
    const signed = await signedOverHttp({
      provider: 'AWS KMS, the fake',
      home,
      algorithms: algorithmNames,
      options: { env },
      ...ofKms,
      async verifiesMac(arn, row, message, mac) {
        const ours = createHmac(row.hash, secretOf(kms.keyAt(arn)))
          .update(message)
          .digest()
        return ours.equals(mac) && (await ofKms.verifiesMac(arn, row, message, mac))
      },
    })
    expect(signed.filter(({ verdict }) => verdict !== 'genuine')).toEqual([])
    expect(signed).toHaveLength(32)
    expect(kms.count('ListKeys', 'ListResourceTags')).toBe(0)
    const environments = [...kms.world.keys.values()].map(
      ({ tags }) => tags.find(({ TagKey }) => TagKey === 'chancery:environment')?.TagValue,
    )
    expect(new Set(environments)).toEqual(new Set(['dev']))
  })

  test('a fault of the vault has its code in the answer, and its cause in the log alone', async () => {
    const home = homeInAws((text) => `${withKey(text, es256)}  - ${grant}\n`)
    await home.run(['rotate'], { env })
    await using serving = await home.serve({ env })
    // What another try could mend has to fail twice.
    const faults = [
      [{ kind: 'throttle', retryAfterSeconds: 3_600 }, 2, 503, 'vault_throttled'],
      [{ kind: 'html', status: 502 }, 2, 503, 'vault_unavailable'],
      [{ kind: 'error', type: 'AccessDeniedException' }, 1, 503, 'vault_denied'],
      [{ kind: 'error', type: 'DisabledException' }, 1, 503, 'vault_key_unusable'],
      [{ kind: 'alter', change: wrongSignature }, 1, 502, 'signature_invalid'],
    ] as const
    for (const [fault, times, status, code] of faults) {
      kms.next(fault, { action: 'Sign', times })
      const answer = await serving.ask('es256', { claims: { sub: 'a' } })
      expect([answer.status, answer.body.code]).toEqual([status, code])
      expect(kms.internals.filter((text) => answer.text.includes(text))).toEqual([])
    }
    const { status, body } = await serving.ask('es256', { claims: { sub: 'a' } })
    const own = kms.requests.at(-1)?.id ?? ''
    expect(status).toBe(200)
    await serving.stop()
    // By this the vault's own log has the request.
    const found = await home.json(['audit', 'find', '--jwt', body.jwt ?? ''], { env })
    expect(own).toMatch(/^[\da-f-]{36}$/)
    expect(JSON.stringify(found.document)).toContain(`"vaultRequest":"${own}"`)
    expect(serving.stderr()).toContain('AccessDeniedException')
    expect(serving.stderr()).toContain('"path":"vaults.aws.endpoint"')
  })

  test('a reply that is lost leaves one key: the next run finds it by its tag', async () => {
    const home = homeInAws()
    const before = kms.world.keys.size
    kms.next({ kind: 'lost-reply' }, { action: 'CreateKey' })
    const first = await home.run(['rotate'], { env })
    expect(first.exitCode).toBe(5)
    expect(first.stdout).toContain('The vault cannot be reached')
    expect(await home.run(['rotate'], { env })).toMatchObject({ exitCode: 0 })
    expect(kms.world.keys.size).toBe(before + 1)
    expect(statesIn(home)).toContain('documents@1 active')
  })

  test('a missing permission is named by rotate, exit 5, and nothing of the vault’s own', async () => {
    const home = homeInAws()
    kms.world.denied.add('CreateKey')
    const { exitCode, stdout, stderr } = await home.run(['rotate'], { env })
    kms.world.denied.clear()
    expect(exitCode).toBe(5)
    expect(stdout).toContain('The vault denied the request: allow kms:CreateKey')
    expect(stdout + stderr).not.toContain('arn:')
  })

  test.each(['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_KMS'])(
    '[C20] %s in the environment is refused by config check, serve and rotate: exit 2',
    async (name) => {
      const home = homeInAws()
      const stray = { env: { ...env, [name]: 'http://127.0.0.1:1' } }
      for (const command of [['config', 'check'], ['rotate'], ['serve']]) {
        const { exitCode, stderr } = await home.run(command, stray)
        expect([command, exitCode]).toEqual([command, 2])
        expect(stderr).toContain(`vault aws: ${name} is set`)
      }
    },
  )

  test.each(['init', 'rekey'])('vault %s has nothing to do there: exit 3', async (command) => {
    const home = homeInAws()
    const { exitCode, stderr } = await home.run(['vault', command, 'aws'], { env })
    expect(exitCode).toBe(3)
    expect(stderr).toContain('aws is a vault of aws-kms, which has no files here')
  })
})

const wrongSignature = (answer: Readonly<Record<string, unknown>>) => ({
  ...answer,
  Signature: Buffer.from('3006020101020102', 'hex').toString('base64'),
})
