import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { algorithm, algorithmNames, type AlgorithmName } from '../../../src/signing/algorithms.ts'
import { describeGenerator, type Generated } from '../../conformance/generator-suite.ts'
import { describeImporter } from '../../conformance/importer-suite.ts'
import { describeSigner } from '../../conformance/signer-suite.ts'
import {
  awsEnvironment,
  awsVault,
  heldKey,
  quickGenerator,
  quickImporter,
  someArn,
} from '../../support/aws-vault.ts'
import { fakeKms, type FakeKms } from '../../support/fake-kms.ts'
import { memoryKey } from '../../support/memory-key.ts'
import { tallied } from '../../support/tally.ts'

let kms: FakeKms
const pairs = new Map<AlgorithmName, readonly [string, string]>()

beforeAll(async () => {
  for (const [name, value] of Object.entries(awsEnvironment)) vi.stubEnv(name, value)
  kms = await fakeKms()
  kms.world.aliases.set('alias/a-key', kms.add('ECC_NIST_P256').arn)
  for (const name of algorithmNames) {
    pairs.set(name, [heldKey(kms, name).arn, heldKey(kms, name, 'other').arn])
  }
})

afterAll(async () => {
  await kms[Symbol.asyncDispose]()
  vi.unstubAllEnvs()
})

const hasDigest = (name: AlgorithmName) => /^[RPE]S/.test(name)

tallied('AWS KMS: conformance')

describeSigner({
  provider: 'aws-kms',
  algorithms: algorithmNames,
  vault: async () => awsVault(kms),
  async resources(name) {
    const pair = pairs.get(name)
    if (pair) return pair
    throw new Error(`no keys of ${name}`)
  },
  secretOf: (name) => memoryKey(name).secret,
  foreignResources: [
    someArn,
    someArn.replace('eu-central-1', 'us-east-1'),
    someArn.replace('key/', 'alias/'),
    'arn:aws:kms:eu-central-1:111122223333:alias/a-key',
    'alias/a-key',
    '1234abcd-12ab-34cd-56ef-1234567890ab',
    'rs256@1.01JD0000000000000000000000.json',
    '',
  ],
  internals: () => kms.internals,
  messageBytesMax: (name) => (hasDigest(name) ? undefined : 4_096),
  signsEmpty: hasDigest,
  signsDigests: hasDigest,
  rsaKeysAreShared: true,
  requestsBilled: () => kms.count('Sign', 'GenerateMac', 'GetPublicKey'),
})

const makes: readonly Generated[] = [
  { algorithm: 'RS256', modulusBits: 2048, kind: 'RSA-2048' },
  { algorithm: 'RS384', modulusBits: undefined, kind: 'RSA-3072' },
  { algorithm: 'RS512', modulusBits: 2048, kind: 'RSA-2048' },
  { algorithm: 'PS256', modulusBits: 4096, kind: 'RSA-4096' },
  { algorithm: 'PS384', modulusBits: 2048, kind: 'RSA-2048' },
  { algorithm: 'PS512', modulusBits: 2048, kind: 'RSA-2048' },
  { algorithm: 'ES256', modulusBits: undefined, kind: 'P-256' },
  { algorithm: 'ES384', modulusBits: undefined, kind: 'P-384' },
  { algorithm: 'ES512', modulusBits: undefined, kind: 'P-521' },
  { algorithm: 'EdDSA', modulusBits: undefined, kind: 'Ed25519' },
  { algorithm: 'HS256', modulusBits: undefined, kind: undefined },
  { algorithm: 'HS384', modulusBits: undefined, kind: undefined },
  { algorithm: 'HS512', modulusBits: undefined, kind: undefined },
]

describeGenerator({
  provider: 'aws-kms',
  generator: async () => quickGenerator(kms),
  vault: async () => awsVault(kms),
  makes,
  refuses: [
    { algorithm: 'RS256', modulusBits: 1024 },
    { algorithm: 'RS256', modulusBits: 2049 },
    { algorithm: 'PS512', modulusBits: 8192 },
    { algorithm: 'ES256', modulusBits: 2048 },
    { algorithm: 'HS256', modulusBits: 256 },
  ],
  cheapest: 'ES256',
})

describeImporter({
  provider: 'aws-kms',
  importer: async () => quickImporter(kms),
  vault: async () => awsVault(kms),
  algorithms: algorithmNames,
  modulusBits: [2048, 3072, 4096],
  modulusBitsRefused: [1024, 2049, 8192],
  cheapest: 'ES256',
})

test('every algorithm of the table is made', () => {
  expect(makes.map((one) => one.algorithm)).toEqual(algorithmNames)
  expect(algorithmNames.filter((name) => algorithm(name).kty === 'RSA')).toHaveLength(6)
})
