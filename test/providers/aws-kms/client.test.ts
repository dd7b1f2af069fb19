import 'aws-sdk-client-mock-vitest/extend' // oxlint-disable-line import/no-unassigned-import -- it gives vitest its matchers
import {
  DescribeKeyCommand,
  DisabledException,
  GenerateMacCommand,
  GetPublicKeyCommand,
  type KeyMetadata,
  KeyUnavailableException,
  KMSClient,
  KMSInvalidStateException,
  KMSServiceException,
  LimitExceededException,
  NotFoundException,
  SignCommand,
} from '@aws-sdk/client-kms'
import { mockClient } from 'aws-sdk-client-mock'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { kmsClient } from '../../../providers/aws-kms/client.ts'
import { openAwsVault } from '../../../providers/aws-kms/signer.ts'
import { utf8 } from '../../../src/lib/bytes.ts'
import { algorithm } from '../../../src/signing/algorithms.ts'
import { awsConfig, bareSurroundings, someArn } from '../../support/aws-vault.ts'
import { newFakeKey, spkiOf } from '../../support/fake-kms/keys.ts'

const { signal } = new AbortController()
const kms = mockClient(KMSClient)
const client = kmsClient(awsConfig(), bareSurroundings)

beforeEach(() => void kms.reset())
afterAll(() => kms.restore())

const described: KeyMetadata = {
  AWSAccountId: '111122223333',
  KeyId: someArn.split('/')[1],
  Arn: someArn,
  KeyManager: 'CUSTOMER',
  KeyState: 'Enabled',
  KeyUsage: 'SIGN_VERIFY',
  KeySpec: 'ECC_NIST_P256',
  Origin: 'AWS_KMS',
  MultiRegion: false,
  SigningAlgorithms: ['ECDSA_SHA_256'],
}

describe('the calls, as the SDK is given them', () => {
  test('opening describes the key by its ARN, and a public half is asked for by it', async () => {
    const key = newFakeKey('ECC_NIST_P256')
    kms.on(DescribeKeyCommand).resolves({ KeyMetadata: described })
    kms.on(GetPublicKeyCommand).resolves({ KeyId: someArn, PublicKey: spkiOf(key) })
    const vault = openAwsVault(awsConfig(), bareSurroundings)
    const signer = await vault.open({ resource: someArn, algorithm: 'ES256' }, signal)
    expect(await signer.publicKey(signal)).toEqual(new Uint8Array(spkiOf(key)))
    expect(kms).toHaveReceivedCommandExactlyOnceWith(DescribeKeyCommand, { KeyId: someArn })
    expect(kms).toHaveReceivedCommandExactlyOnceWith(GetPublicKeyCommand, { KeyId: someArn })
    expect(kms).toHaveReceivedCommandTimes(SignCommand, 0)
  })

  test('a signature names key, algorithm, message and how it is meant', async () => {
    kms.on(DescribeKeyCommand).resolves({ KeyMetadata: described })
    kms.on(SignCommand).resolves({
      $metadata: {},
      KeyId: someArn,
      SigningAlgorithm: 'ECDSA_SHA_256',
      Signature: Buffer.from('3006020101020102', 'hex'),
    })
    const vault = openAwsVault(awsConfig(), bareSurroundings)
    const signer = await vault.open({ resource: someArn, algorithm: 'ES256' }, signal)
    const Message = utf8('a message')
    const signature = await signer.sign(
      { message: Message, digest: undefined },
      algorithm('ES256'),
      signal,
    )
    expect(Buffer.from(signature).toString('hex')).toBe(
      `${'01'.padStart(64, '0')}${'02'.padStart(64, '0')}`,
    )
    expect(kms).toHaveReceivedCommandExactlyOnceWith(SignCommand, {
      KeyId: someArn,
      Message,
      MessageType: 'RAW',
      SigningAlgorithm: 'ECDSA_SHA_256',
    })
    expect(kms).toHaveReceivedCommandTimes(GenerateMacCommand, 0)
  })
})

const metadata = { $metadata: {}, message: `${someArn} said no` }

describe('[C11] the SDK’s own classes of errors', () => {
  test.each([
    [new DisabledException(metadata), 'vault_key_unusable', 'The key is disabled'],
    [new NotFoundException(metadata), 'vault_key_unusable', 'The vault has no such key'],
    [
      new KMSInvalidStateException(metadata),
      'vault_key_unusable',
      'The key is in no state to sign',
    ],
    [
      new LimitExceededException(metadata),
      'vault_denied',
      'The vault takes no more keys: raise its quota',
    ],
    [new KeyUnavailableException(metadata), 'vault_unavailable', 'The vault cannot be reached'],
    [
      new KMSServiceException({ ...metadata, name: 'ThrottlingException', $fault: 'client' }),
      'vault_throttled',
      'The vault is throttling',
    ],
    [
      Object.assign(new Error(metadata.message), { name: 'CredentialsProviderError' }),
      'vault_denied',
      'No credentials for the vault can be found',
    ],
    [
      Object.assign(new Error(metadata.message), { name: 'TimeoutError' }),
      'vault_unavailable',
      'The vault cannot be reached',
    ],
    [new SyntaxError(metadata.message), 'vault_unavailable', 'The vault cannot be reached'],
  ])('%o is %s: %s', async (thrown, code, message) => {
    kms.onAnyCommand().callsFake(() => {
      throw thrown
    })
    const asked = client.describeKey(someArn, signal)
    await expect(asked).rejects.toMatchObject({ code, message, cause: thrown })
  })

  test('[C10] whatever went wrong, a signal that has fired is the reason', async () => {
    const stopping = new AbortController()
    const reason = new Error('the deadline')
    kms.onAnyCommand().callsFake(() => {
      stopping.abort(reason)
      throw new NotFoundException(metadata)
    })
    await expect(client.describeKey(someArn, stopping.signal)).rejects.toBe(reason)
  })

  test('[C10] an answer that never comes ends with the signal', async () => {
    const stopping = new AbortController()
    const reason = new Error('the deadline')
    kms.onAnyCommand().callsFake(() => new Promise(() => {}))
    const asked = client.describeKey(someArn, stopping.signal)
    stopping.abort(reason)
    await expect(asked).rejects.toBe(reason)
  })
})

describe('[C20] what the process inherits leads nowhere', () => {
  const withVariable = (name: string, value: string) => () =>
    kmsClient(awsConfig(), {
      ...bareSurroundings,
      environment: (asked) => (asked === name ? value : undefined),
    })

  test.each([
    ['AWS_ENDPOINT_URL', 'http://127.0.0.1:4566'],
    ['AWS_ENDPOINT_URL_KMS', 'http://127.0.0.1:4566'],
    ['AWS_ENDPOINT_URL_STS', 'http://127.0.0.1:4566'],
    ['AWS_ENDPOINT_URL_SSO', 'http://127.0.0.1:4566'],
    ['AWS_ENDPOINT_URL_SSO_OIDC', 'http://127.0.0.1:4566'],
    ['AWS_ENDPOINT_URL_SIGNIN', 'http://127.0.0.1:4566'],
    ['AWS_USE_FIPS_ENDPOINT', 'true'],
  ])('%s is refused by name, with the remedy', (name, value) => {
    expect(withVariable(name, value)).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringMatching(
          new RegExp(`^${name} is set, .*: unset it, .* give the vault an endpoint, like http`),
        ),
      }),
    )
  })

  test.each([
    ['AWS_ENDPOINT_URL', ''],
    ['AWS_USE_FIPS_ENDPOINT', 'false'],
    ['AWS_REGION', 'us-east-1'],
  ])('%s=%s is nobody’s wish to go elsewhere', (name, value) => {
    expect(withVariable(name, value)).not.toThrow()
  })
})
