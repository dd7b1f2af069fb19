import {
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  GenerateMacCommand,
  GetParametersForImportCommand,
  GetPublicKeyCommand,
  ImportKeyMaterialCommand,
  KMSClient,
  ListKeysCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
} from '@aws-sdk/client-kms'
import {
  constants,
  createPublicKey,
  hash,
  type KeyObject,
  publicEncrypt,
  sign,
  verify,
} from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { algorithm, algorithmNames } from '../../src/signing/algorithms.ts'
import { nodeVerifies, publicKeyOf } from '../conformance/verifiers.ts'
import { awsAlgorithms } from '../../providers/aws-kms/algorithms.ts'
import { derToJose } from '../../src/signing/ecdsa.ts'
import { fakeKms, type FakeKms } from './fake-kms.ts'
import { region } from './fake-kms/keys.ts'
import { heldKey, someArn } from './aws-vault.ts'
import { memoryKey, memoryKeyPair, publicAlgorithmNames } from './memory-key.ts'

/** The fake beside what the real service is known to do; asked with the vendor's own SDK. */

let kms: FakeKms
let sdk: KMSClient

beforeAll(async () => {
  kms = await fakeKms()
  sdk = new KMSClient({
    region,
    endpoint: kms.endpoint,
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret' },
  })
})

afterAll(async () => {
  sdk.destroy()
  await kms[Symbol.asyncDispose]()
})

const message = new TextEncoder().encode('a message')

async function nameOf(asked: Promise<unknown>): Promise<string> {
  return asked.then(
    () => 'nothing was refused',
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  )
}

describe.each(publicAlgorithmNames)('%s', (name) => {
  const row = algorithm(name)
  const { name: SigningAlgorithm } = awsAlgorithms[name]
  const types = row.kty === 'OKP' ? (['RAW'] as const) : (['RAW', 'DIGEST'] as const)

  test.each(types)('a signature over %s verifies with the public key it shows', async (type) => {
    const { arn } = heldKey(kms, name)
    const { PublicKey } = await sdk.send(new GetPublicKeyCommand({ KeyId: arn }))
    const Message =
      type === 'DIGEST' && row.kty !== 'OKP' && row.kty !== 'oct'
        ? hash(row.hash, message, 'buffer')
        : message
    const answer = await sdk.send(
      new SignCommand({ KeyId: arn, Message, MessageType: type, SigningAlgorithm }),
    )
    const given = answer.Signature ?? new Uint8Array()
    const signature = row.kty === 'EC' ? derToJose(given, row) : given
    if (row.kty === 'oct') throw new Error('an HMAC has no public key')
    expect(nodeVerifies(publicKeyOf(PublicKey ?? message), row, message, signature)).toBe(true)
    expect(answer).toMatchObject({ KeyId: arn, SigningAlgorithm })
  })
})

test('an RSA signature over a digest is Node’s own over the message', async () => {
  const { arn } = heldKey(kms, 'RS256')
  const answer = await sdk.send(
    new SignCommand({
      KeyId: arn,
      Message: hash('sha256', message, 'buffer'),
      MessageType: 'DIGEST',
      SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256',
    }),
  )
  const expected = sign('sha256', message, memoryKey('RS256').secret)
  expect(Buffer.from(answer.Signature ?? []).equals(expected)).toBe(true)
})

test('PSS over a digest has a salt as long as the hash, 50 times', async () => {
  const { arn } = heldKey(kms, 'PS256')
  const { object } = memoryKeyPair('PS256').publicKey
  for (let at = 0; at < 50; at += 1) {
    const Message = hash('sha256', `${at}`, 'buffer')
    const SigningAlgorithm = 'RSASSA_PSS_SHA_256'
    const asked = new SignCommand({ KeyId: arn, Message, MessageType: 'DIGEST', SigningAlgorithm })
    const { Signature = message } = await sdk.send(asked)
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const key = { key: object, padding, saltLength: 32 }
    expect(verify('sha256', Buffer.from(`${at}`), key, Signature)).toBe(true)
  }
})

type Asked = Partial<ConstructorParameters<typeof SignCommand>[0]>

function signing(KeyId: string, part: Asked = {}) {
  const asked = { KeyId, Message: message, SigningAlgorithm: 'ECDSA_SHA_256', ...part } as const
  return sdk.send(new SignCommand(asked))
}

const emptyKey = () => kms.add('ECC_NIST_P256', { origin: 'EXTERNAL', state: 'PendingImport' })

function parametersFor(KeyId: string) {
  const asked = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_4096' } as const
  return sdk.send(new GetParametersForImportCommand({ KeyId, ...asked }))
}

/** By Node alone, as the documentation has it done with openssl. */
async function wrappedFor(KeyId: string, secret: KeyObject) {
  const { ImportToken, PublicKey = message } = await parametersFor(KeyId)
  const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' })
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const der = secret.export({ type: 'pkcs8', format: 'der' })
  const EncryptedKeyMaterial = publicEncrypt({ key, padding, oaepHash: 'sha256' }, der)
  const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE' as const
  return { KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel }
}

describe('as the real service, where emulators are not', () => {
  test.each([
    ['no message', { Message: new Uint8Array() }, 'ValidationException'],
    ['4,097 bytes', { Message: new Uint8Array(4_097) }, 'ValidationException'],
    [
      '31 bytes of digest',
      { Message: new Uint8Array(31), MessageType: 'DIGEST' },
      'ValidationException',
    ],
    ['no algorithm', { SigningAlgorithm: undefined }, 'ValidationException'],
    [
      'an algorithm of RSA on an EC key',
      { SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256' },
      'InvalidKeyUsageException',
    ],
    ['ES384 on P-256', { SigningAlgorithm: 'ECDSA_SHA_384' }, 'InvalidKeyUsageException'],
    ['a dry run', { DryRun: true }, 'DryRunOperationException'],
    ['an unknown key', { KeyId: someArn }, 'NotFoundException'],
    ['a malformed ARN', { KeyId: 'arn:aws:kms:x' }, 'InvalidArnException'],
    [
      'another region’s ARN',
      { KeyId: someArn.replace('eu-central-1', 'us-east-1') },
      'NotFoundException',
    ],
    [
      'another account’s ARN',
      { KeyId: someArn.replace('111122223333', '444455556666') },
      'AccessDeniedException',
    ],
  ] as const)('%s: %o is %s', async (_, part, name) => {
    const { arn } = heldKey(kms, 'ES256')
    expect(await nameOf(signing(arn, part))).toBe(name)
  })

  test('Ed25519 takes messages, and no digest', async () => {
    const { arn } = heldKey(kms, 'EdDSA')
    const SigningAlgorithm = 'ED25519_SHA_512'
    const part = { Message: new Uint8Array(64), MessageType: 'DIGEST', SigningAlgorithm } as const
    expect(await nameOf(signing(arn, part))).toBe('ValidationException')
  })

  test('a disabled key signs no more, and still shows its public half', async () => {
    const { arn } = heldKey(kms, 'ES256')
    await sdk.send(new DisableKeyCommand({ KeyId: arn }))
    expect(await nameOf(signing(arn))).toBe('DisabledException')
    expect((await sdk.send(new GetPublicKeyCommand({ KeyId: arn }))).KeyId).toBe(arn)
    const { KeyMetadata } = await sdk.send(new DescribeKeyCommand({ KeyId: arn }))
    expect(KeyMetadata).toMatchObject({ KeyState: 'Disabled', Enabled: false })
  })

  test('an HMAC key has no public half, and generates no signature', async () => {
    const { arn } = heldKey(kms, 'HS256')
    const asked = sdk.send(new GetPublicKeyCommand({ KeyId: arn }))
    expect(await nameOf(asked)).toBe('UnsupportedOperationException')
    expect(await nameOf(signing(arn))).toBe('InvalidKeyUsageException')
    const wrong = { KeyId: arn, Message: message, MacAlgorithm: 'HMAC_SHA_512' } as const
    expect(await nameOf(sdk.send(new GenerateMacCommand(wrong)))).toBe('InvalidKeyUsageException')
  })

  test('an alias is followed, and the answer names the key behind it', async () => {
    const { arn } = heldKey(kms, 'ES256')
    kms.world.aliases.set('alias/moving', arn)
    expect((await signing('alias/moving')).KeyId).toBe(arn)
  })

  test('imported material has to come first', async () => {
    const asked = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Origin: 'EXTERNAL' } as const
    const { KeyMetadata } = await sdk.send(new CreateKeyCommand(asked))
    expect(KeyMetadata?.KeyState).toBe('PendingImport')
    expect(await nameOf(signing(KeyMetadata?.Arn ?? ''))).toBe('KMSInvalidStateException')
  })

  test.each([
    ['RSA_2048', 'RSAES_OAEP_SHA_256', 'RSA_4096', 'UnsupportedOperationException'],
    ['HMAC_256', 'RSA_AES_KEY_WRAP_SHA_256', 'RSA_4096', 'UnsupportedOperationException'],
    ['ECC_NIST_P521', 'RSAES_OAEP_SHA_256', 'RSA_2048', 'UnsupportedOperationException'],
    ['ECC_NIST_P256', 'RSAES_PKCS1_V1_5', 'RSA_2048', 'UnsupportedOperationException'],
    ['ECC_NIST_P521', 'RSA_AES_KEY_WRAP_SHA_256', 'RSA_2048', 'nothing was refused'],
  ] as const)('%s wrapped by %s under %s: %s', async (spec, wrappedBy, wrapping, name) => {
    const { arn } = kms.add(spec, { origin: 'EXTERNAL', state: 'PendingImport' })
    const asked = { KeyId: arn, WrappingAlgorithm: wrappedBy, WrappingKeySpec: wrapping }
    expect(await nameOf(sdk.send(new GetParametersForImportCommand(asked)))).toBe(name)
  })

  test('nothing is imported into a key that the vault made', async () => {
    const { arn } = heldKey(kms, 'ES256')
    expect(await nameOf(parametersFor(arn))).toBe('UnsupportedOperationException')
  })

  const expires = { ExpirationModel: 'KEY_MATERIAL_EXPIRES' } as const
  test.each([
    ['what is wrapped for another key', { ImportToken: new Uint8Array(32) }, 'InvalidImportToken'],
    ['garbage', { EncryptedKeyMaterial: new Uint8Array(600) }, 'InvalidCiphertext'],
    ['material that expires, and no time', expires, 'Validation'],
    ['no word of expiry', { ExpirationModel: undefined }, 'Validation'],
  ] as const)('%s is not imported', async (_, part, name) => {
    const { arn } = emptyKey()
    const asked = { ...(await wrappedFor(arn, memoryKey('ES256').secret)), ...part }
    expect(await nameOf(sdk.send(new ImportKeyMaterialCommand(asked)))).toBe(`${name}Exception`)
    expect(kms.keyAt(arn).state).toBe('PendingImport')
  })

  test('parameters are good for a day', async () => {
    const { arn } = emptyKey()
    const asked = await wrappedFor(arn, memoryKey('ES256').secret)
    for (const parameters of kms.world.importParameters.values()) parameters.validTo -= 86_400_000
    const importing = sdk.send(new ImportKeyMaterialCommand(asked))
    expect(await nameOf(importing)).toBe('ExpiredImportTokenException')
  })

  test('material of another kind, and other material later, is not taken; the same is', async () => {
    const { arn } = emptyKey()
    const importing = async (secret: KeyObject) => {
      const asked = await wrappedFor(arn, secret)
      return nameOf(sdk.send(new ImportKeyMaterialCommand(asked)))
    }
    expect(await importing(memoryKey('ES384').secret)).toBe('IncorrectKeyMaterialException')
    expect(await importing(memoryKey('ES256').secret)).toBe('nothing was refused')
    expect(await importing(memoryKey('ES256', 'other').secret)).toBe(
      'IncorrectKeyMaterialException',
    )
    expect(await importing(memoryKey('ES256').secret)).toBe('nothing was refused')
    expect((await signing(arn)).KeyId).toBe(arn)
  })

  test('a key is deleted after a week at least, and until then nothing can be done with it', async () => {
    const { arn } = heldKey(kms, 'ES256')
    const scheduled = (PendingWindowInDays: number) =>
      sdk.send(new ScheduleKeyDeletionCommand({ KeyId: arn, PendingWindowInDays }))
    expect(await nameOf(scheduled(3))).toBe('ValidationException')
    expect(await scheduled(7)).toMatchObject({ KeyState: 'PendingDeletion' })
    expect(await nameOf(scheduled(7))).toBe('KMSInvalidStateException')
    expect(await nameOf(signing(arn))).toBe('KMSInvalidStateException')
    const disabling = sdk.send(new DisableKeyCommand({ KeyId: arn }))
    expect(await nameOf(disabling)).toBe('KMSInvalidStateException')
  })

  test.each([
    ['an EC key that decrypts', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'ENCRYPT_DECRYPT' }],
    ['an HMAC key that signs', { KeySpec: 'HMAC_256', KeyUsage: 'SIGN_VERIFY' }],
    ['a key without its usage', { KeySpec: 'RSA_2048', KeyUsage: 'GENERATE_VERIFY_MAC' }],
  ] as const)('%s is not made', async (_, asked) => {
    expect(await nameOf(sdk.send(new CreateKeyCommand(asked)))).toBe('ValidationException')
  })

  test('a tag of AWS’s own is not taken', async () => {
    const Tags = [{ TagKey: 'aws:x', TagValue: 'y' }]
    expect(await nameOf(sdk.send(new CreateKeyCommand({ Tags })))).toBe('TagException')
  })

  test('keys come in pages', async () => {
    const first = await sdk.send(new ListKeysCommand({ Limit: 1 }))
    expect(first).toMatchObject({ Truncated: true, NextMarker: '1' })
    const next = await sdk.send(new ListKeysCommand({ Limit: 1, Marker: first.NextMarker }))
    expect(next.Keys?.[0]?.KeyArn).not.toBe(first.Keys?.[0]?.KeyArn)
  })
})

describe('who asks', () => {
  test('without a signature: refused', async () => {
    const headers = {
      'Content-Type': 'application/x-amz-json-1.1',
      'X-Amz-Target': 'TrentService.ListKeys',
    }
    const response = await fetch(kms.endpoint, { method: 'POST', headers, body: '{}' })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' })
  })

  test.each([
    ['another region', { region: 'us-east-1' }, 'IncompleteSignatureException'],
    ['a clock an hour ahead', { systemClockOffset: 3_600_000 }, 'InvalidSignatureException'],
  ])('signed for %s: refused', async (_, part, name) => {
    const other = new KMSClient({
      region,
      endpoint: kms.endpoint,
      maxAttempts: 1,
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret' },
      ...part,
    })
    expect(await nameOf(other.send(new ListKeysCommand({})))).toBe(name)
    other.destroy()
  })
})

test('every algorithm of ours is one of KMS', () => {
  expect(Object.keys(awsAlgorithms)).toEqual(algorithmNames)
})
