import { awsGenerator } from '../../providers/aws-kms/generator.ts'
import { awsDisabler } from '../../providers/aws-kms/disabler.ts'
import { awsImporter } from '../../providers/aws-kms/importer.ts'
import { awsKmsConfig, type AwsKmsConfig } from '../../providers/aws-kms/config.ts'
import { openAwsVault } from '../../providers/aws-kms/signer.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type Algorithm, algorithm, type AlgorithmName } from '../../src/signing/algorithms.ts'
import type { KeyDisabler, KeyGenerator, KeyImporter, Vault } from '../../src/signing/signer.ts'
import { type FakeKms } from './fake-kms.ts'
import { account, accountSecret, region } from './fake-kms/keys.ts'
import { memoryKey, type Which } from './memory-key.ts'

/** Nothing of the test's own environment leads a client anywhere. */
export const bareSurroundings = {
  clock: systemClock,
  environment: () => undefined,
  reader: 'operator',
  // Machines that are busy are slow: what a test is about has a deadline of its own.
  requestTimeoutMs: 60_000,
} as const

/** For what makes keys: they are tagged with their environment. */
export const makerSurroundings = { ...bareSurroundings, keysOf: 'dev' } as const

/** What the SDK's chain finds first: https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html */
export const awsEnvironment = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: accountSecret,
  AWS_EC2_METADATA_DISABLED: 'true',
  // The files of whoever runs the tests are not looked at.
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
} as const

export function awsConfig(part: Partial<AwsKmsConfig> = {}): AwsKmsConfig {
  return awsKmsConfig.parse({ provider: 'aws-kms', region, ...part })
}

export function awsVault({ endpoint }: { readonly endpoint: string }, part = {}): Vault {
  return openAwsVault(awsConfig({ endpoint, ...part }), bareSurroundings)
}

/** Nothing here takes seconds to be seen. */
const quick = { lookEveryMs: 1, looksMax: 5, settleMs: 1, wait: async () => {} }

export function quickGenerator({ endpoint }: { readonly endpoint: string }): KeyGenerator {
  return awsGenerator(awsConfig({ endpoint }), makerSurroundings, quick)
}

export function quickImporter({ endpoint }: { readonly endpoint: string }): KeyImporter {
  return awsImporter(awsConfig({ endpoint }), makerSurroundings, quick)
}

export function disablerOf({ endpoint }: { readonly endpoint: string }): KeyDisabler {
  return awsDisabler(awsConfig({ endpoint }), bareSurroundings)
}

/** A configuration with one more vault, `aws`, at the fake. */
export function withAwsVault(text: string, endpoint: string): string {
  const vault = `aws: { provider: aws-kms, region: ${region}, endpoint: '${endpoint}' }`
  return text.replace('\nkeys:', `\n  ${vault}\nkeys:`)
}

/** The kind of key that a test of an algorithm needs, at its smallest. */
export function specOf({ kty, name }: Algorithm): string {
  const specs = {
    EC: `ECC_NIST_P${name === 'ES512' ? '521' : name.slice(2)}`,
    OKP: 'ECC_NIST_EDWARDS25519',
    RSA: 'RSA_2048',
    oct: `HMAC_${name.slice(2)}`,
  } as const
  return specs[kty]
}

/** A key in the fake whose secret the test knows, too. */
export function heldKey(kms: FakeKms, name: AlgorithmName, which: Which = 'one') {
  return kms.add(specOf(algorithm(name)), { secret: memoryKey(name, which).secret })
}

export const someArn = `arn:aws:kms:${region}:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`
