import {
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  KMSClient,
  ListKeysCommand,
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
import { z } from 'zod'
import { algorithmNames } from '../../src/signing/algorithms.ts'
import { awsAlgorithms } from '../../providers/aws-kms/algorithms.ts'
import { fakeKms, type FakeKms } from './fake-kms.ts'
import { accountSecret, region } from './fake-kms/keys.ts'
import { heldKey } from './aws-vault.ts'
import { memoryKey, memoryKeyPair } from './memory-key.ts'

/** The fake beside what the real service is known to do; asked with the vendor's own SDK. */

let kms: FakeKms
let sdk: KMSClient

beforeAll(async () => {
  kms = await fakeKms()
  sdk = new KMSClient({
    region,
    endpoint: kms.endpoint,
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: accountSecret },
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

describe('as the real service, beside the table that emulators are asked, too', () => {
  test('Ed25519 takes messages, and no digest', async () => {
    const { arn } = heldKey(kms, 'EdDSA')
    const SigningAlgorithm = 'ED25519_SHA_512'
    const part = { Message: new Uint8Array(64), MessageType: 'DIGEST', SigningAlgorithm } as const
    expect(await nameOf(signing(arn, part))).toBe('ValidationException')
  })

  test('an alias is followed, and the answer names the key behind it', async () => {
    const { arn } = heldKey(kms, 'ES256')
    kms.world.aliases.set('alias/moving', arn)
    expect((await signing('alias/moving')).KeyId).toBe(arn)
  })

  test('PKCS #1 v1.5 wraps nothing any more', async () => {
    const { arn: KeyId } = emptyKey()
    const asked = { WrappingAlgorithm: 'RSAES_PKCS1_V1_5', WrappingKeySpec: 'RSA_2048' } as const
    const asking = sdk.send(new GetParametersForImportCommand({ KeyId, ...asked }))
    expect(await nameOf(asking)).toBe('UnsupportedOperationException')
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
})

describe('who asks', () => {
  test.each([
    ['another region', { region: 'us-east-1' }, 'InvalidSignatureException'],
    ['a clock an hour ahead', { systemClockOffset: 3_600_000 }, 'InvalidSignatureException'],
    [
      'another account’s secret',
      { credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'another-secret' } },
      'InvalidSignatureException',
    ],
  ])('signed for %s: refused', async (_, part, name) => {
    const other = new KMSClient({
      region,
      endpoint: kms.endpoint,
      maxAttempts: 1,
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: accountSecret },
      ...part,
    })
    expect(await nameOf(other.send(new ListKeysCommand({})))).toBe(name)
    other.destroy()
  })

  test('what was changed after it was signed: refused', async () => {
    const { arn } = heldKey(kms, 'ES256')
    const other = new KMSClient({
      region,
      endpoint: kms.endpoint,
      maxAttempts: 1,
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: accountSecret },
    })
    const changed = Buffer.from('A message').toString('base64')
    other.middlewareStack.add(
      (next) => async (args) => {
        const sent = z.looseObject({ body: z.instanceof(Uint8Array) }).parse(args.request).body
        const body = Buffer.from(sent)
          .toString('utf8')
          .replace(Buffer.from(message).toString('base64'), changed)
        return next({ ...args, request: Object.assign(Object(args.request), { body }) })
      },
      { step: 'deserialize', priority: 'low' },
    )
    const asked = { KeyId: arn, Message: message, SigningAlgorithm: 'ECDSA_SHA_256' } as const
    const before = kms.count('Sign')
    expect(await nameOf(other.send(new SignCommand(asked)))).toBe('InvalidSignatureException')
    expect(kms.count('Sign')).toBe(before)
    other.destroy()
  })
})

test('every algorithm of ours is one of KMS', () => {
  expect(Object.keys(awsAlgorithms)).toEqual(algorithmNames)
})
