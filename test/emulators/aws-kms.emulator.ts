import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  GetPublicKeyCommand,
  KMSClient,
} from '@aws-sdk/client-kms'
import { createPublicKey, type KeyObject } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { z } from 'zod'
import { algorithm, algorithmNames, type AlgorithmName } from '../../src/signing/algorithms.ts'
import { describeSigner } from '../conformance/signer-suite.ts'
import { nodeVerifies } from '../conformance/verifiers.ts'
import { awsEnvironment, awsVault, someArn, specOf, withAwsVault } from '../support/aws-vault.ts'
import { figure } from '../support/figure.ts'
import { region } from '../support/fake-kms/keys.ts'
import { homesOfThisFile, withKey } from '../support/home.ts'

/** The provider, and the whole program, against somebody else's KMS. */

/** It has no Ed25519, which AWS has. */
const algorithms = algorithmNames.filter((name) => name !== 'EdDSA')
const had = inject('localStack')
const endpoint = 'endpoint' in had ? had.endpoint : ''
const sdk = new KMSClient({
  region,
  endpoint,
  maxAttempts: 1,
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret' },
})
/** By spec: RSA keys sign with every algorithm of RSA, and take long to make. */
const pairs = new Map<string, Promise<readonly [string, string]>>()

afterAll(() => {
  sdk.destroy()
})

const created = z.object({ KeyMetadata: z.object({ Arn: z.string() }) })
const usageOf = (name: AlgorithmName) =>
  algorithm(name).kty === 'oct' ? 'GENERATE_VERIFY_MAC' : 'SIGN_VERIFY'

async function newKey(name: AlgorithmName): Promise<string> {
  const KeySpec = keySpecs.parse(specOf(algorithm(name)))
  const input: CreateKeyCommandInput = { KeySpec, KeyUsage: usageOf(name) }
  return created.parse(await sdk.send(new CreateKeyCommand(input))).KeyMetadata.Arn
}

const keySpecs = z.enum([
  'RSA_2048',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'HMAC_256',
  'HMAC_384',
  'HMAC_512',
])

describe.skipIf('missing' in had)('LocalStack', () => {
  beforeAll(() => {
    for (const [name, value] of Object.entries(awsEnvironment)) vi.stubEnv(name, value)
  })
  afterAll(() => {
    vi.unstubAllEnvs()
  })

  describeSigner({
    provider: 'aws-kms at LocalStack',
    algorithms,
    vault: async () => awsVault({ endpoint }),
    resources(name) {
      const spec = specOf(algorithm(name))
      const pair = pairs.get(spec) ?? Promise.all([newKey(name), newKey(name)])
      pairs.set(spec, pair)
      return pair
    },
    foreignResources: [
      someArn,
      someArn.replace('eu-central-1', 'us-east-1'),
      someArn.replace('key/', 'alias/'),
      'alias/a-key',
      '',
    ],
    internals: () => ['arn:', '000000000000', region, '127.0.0.1', endpoint, 'Exception'],
    messageBytesMax: (name) => (hasDigest(name) ? undefined : 4_096),
    signsEmpty: hasDigest,
    signsDigests: hasDigest,
    rsaKeysAreShared: true,
    atOnce: 8, // of RSA it makes 27 signatures a second
  })

  describeEndToEnd()
})

function hasDigest(name: AlgorithmName): boolean {
  return /^[RPE]S/.test(name)
}

function describeEndToEnd(): void {
  const homes = homesOfThisFile()

  test('rotate makes keys of every algorithm, serve signs, and the vault’s own public key verifies', async () => {
    const home = homes.copy()
    home.edit((text) => {
      const keys = algorithms.map((alg) => {
        const bits = /^[RP]S/.test(alg) ? ', modulusBits: 2048' : ''
        return `${alg.toLowerCase()}: { vault: aws, alg: ${alg}, purpose: bytes${bits} }`
      })
      const grants = algorithms.map((alg) => {
        const operations = hasDigest(alg) ? 'sign-message, sign-digest' : 'sign-message'
        return `  - { caller: first-caller, key: ${alg.toLowerCase()}, operations: [${operations}] }\n`
      })
      return `${keys.reduce(withKey, withAwsVault(text, endpoint))}${grants.join('')}`
    })
    const env = awsEnvironment
    expect(await home.run(['rotate'], { env })).toMatchObject({ exitCode: 0 })
    await using serving = await home.serve({ env })
    const message = Buffer.from('a message')
    const genuine: AlgorithmName[] = []
    for (const alg of algorithms) {
      const row = algorithm(alg)
      const key = alg.toLowerCase()
      const { status, body } = await serving.ask(key, { message: message.toString('base64') })
      expect([alg, status]).toEqual([alg, 200])
      const signature = Buffer.from(body.signature ?? '', 'base64url')
      const isGenuine =
        row.kty === 'oct'
          ? signature.length === row.macBytes
          : nodeVerifies(
              await fetched(resourceOf(home.at('chancery.db'), key)),
              row,
              message,
              signature,
            )
      if (isGenuine) genuine.push(alg)
    }
    expect(genuine).toEqual(algorithms)
    const verified = genuine.filter((alg) => algorithm(alg).kty !== 'oct')
    figure(
      `LocalStack: ${verified.length} algorithms verified with the key that the AWS SDK fetched`,
    )
    expect((await serving.stop()).exitCode).toBe(0)
  })
}

function resourceOf(file: string, key: string): string {
  const database = new DatabaseSync(file, { readOnly: true })
  const row = database.prepare('select resource from versions where key = ?').get(key)
  database.close()
  return String(row?.['resource'])
}

/** By the vendor's SDK, and none of our own code. */
async function fetched(KeyId: string): Promise<KeyObject> {
  const { PublicKey } = await sdk.send(new GetPublicKeyCommand({ KeyId }))
  return createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' })
}
