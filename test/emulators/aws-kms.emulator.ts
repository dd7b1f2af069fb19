import { CreateKeyCommand, type CreateKeyCommandInput, KMSClient } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { z } from 'zod'
import { algorithm, algorithmNames, type AlgorithmName } from '../../src/signing/algorithms.ts'
import { signedOverHttp, withEveryAlgorithm } from '../conformance/end-to-end.ts'
import { describeSigner } from '../conformance/signer-suite.ts'
import { awsEnvironment, awsVault, someArn, specOf, withAwsVault } from '../support/aws-vault.ts'
import { accountSecret, region } from '../support/fake-kms/keys.ts'
import { homesOfThisFile } from '../support/home.ts'
import { askedOfKms } from '../support/kms-sdk.ts'
import { tallied } from '../support/tally.ts'

/** The provider, and the whole program, against somebody else's KMS. */

/** It has no Ed25519, which AWS has. */
const algorithms = algorithmNames.filter((name) => name !== 'EdDSA')
const had = inject('localStack')
const endpoint = 'endpoint' in had ? had.endpoint : ''
const sdk = new KMSClient({
  region,
  endpoint,
  maxAttempts: 1,
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: accountSecret },
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

  tallied('LocalStack: signing')

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

  test('rotate makes keys of every algorithm, serve signs in every form, and the vault’s own SDK verifies', async () => {
    const home = homes.copy()
    home.edit((text) => withEveryAlgorithm(withAwsVault(text, endpoint), 'aws', algorithms))
    const provider = 'AWS KMS, LocalStack'
    const options = { env: awsEnvironment }
    const signed = await signedOverHttp({ provider, home, algorithms, options, ...askedOfKms(sdk) })
    expect(signed.filter(({ verdict }) => verdict !== 'genuine')).toEqual([])
    expect(signed).toHaveLength(30)
  })
}
