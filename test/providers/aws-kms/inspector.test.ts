import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { awsEnvironment, awsVault, heldKey, someArn } from '../../support/aws-vault.ts'
import { fakeKms, type FakeKms } from '../../support/fake-kms.ts'
import type { FakeKey } from '../../support/fake-kms/keys.ts'
import type { AlgorithmName } from '../../../src/signing/algorithms.ts'

const { signal } = new AbortController()
let kms: FakeKms

beforeAll(async () => {
  for (const [name, value] of Object.entries(awsEnvironment)) vi.stubEnv(name, value)
  kms = await fakeKms()
})

afterAll(async () => {
  await kms[Symbol.asyncDispose]()
  vi.unstubAllEnvs()
})

const open = (resource: string, algorithm: AlgorithmName = 'ES256') =>
  awsVault(kms).open({ resource, algorithm }, signal)

type Change = (key: FakeKey) => void

const refused: readonly (readonly [what: string, change: Change, reason: string])[] = [
  ['decrypts', (key) => (key.usage = 'ENCRYPT_DECRYPT'), 'The key is not for signing with ES256'],
  [
    'agrees on keys',
    (key) => (key.usage = 'KEY_AGREEMENT'),
    'The key is not for signing with ES256',
  ],
  [
    'belongs to another service of AWS',
    (key) => (key.manager = 'AWS'),
    'The key belongs to a service of the vault',
  ],
  [
    'can be replicated',
    (key) => (key.multiRegion = true),
    'The key can be copied into other regions',
  ],
  [
    'is kept in an external key store',
    (key) => (key.origin = 'EXTERNAL_KEY_STORE'),
    'The material of the key is kept outside the vault',
  ],
  [
    'is kept in a CloudHSM key store, where no key can sign',
    (key) => (key.origin = 'AWS_CLOUDHSM'),
    'The material of the key is kept outside the vault',
  ],
  [
    'comes from nobody knows where',
    (key) => (key.origin = 'ELSEWHERE'),
    'The material of the key is kept outside the vault',
  ],
  ['does not sign what we need', (key) => (key.algorithms = []), 'The key does not sign ES256'],
  ['is disabled', (key) => (key.state = 'Disabled'), 'The key is disabled'],
  ['will be deleted', (key) => (key.state = 'PendingDeletion'), 'The key is going to be deleted'],
  [
    'has a day of its deletion',
    (key) => (key.deletionDate = 1_800_000_000),
    'The key is going to be deleted',
  ],
  [
    'waits for its material',
    (key) => (key.state = 'PendingImport'),
    'The key has no material: import it',
  ],
  [
    'has no key store',
    (key) => (key.state = 'Unavailable'),
    'The key store of the key is not connected',
  ],
  ['is being made', (key) => (key.state = 'Creating'), 'The key is not ready yet'],
  ['is being changed', (key) => (key.state = 'Updating'), 'The key is not ready yet'],
  [
    'is in a state that is new to us',
    (key) => (key.state = 'Quarantined'),
    'The key is in no state to sign',
  ],
]

describe('[C8] sign-only is proved when a version is opened', () => {
  test.each(refused)('a key that %s is refused, and the reason is said', async (_, change, why) => {
    const key = heldKey(kms, 'ES256')
    change(key)
    await expect(open(key.arn)).rejects.toMatchObject({
      code: 'vault_key_unusable',
      message: why,
      cause: expect.objectContaining({ message: key.arn }),
    })
  })

  test.each([
    ['ECC_NIST_P384', 'ES256', 'The key does not fit ES256'],
    ['ECC_SECG_P256K1', 'ES256', 'The key does not fit ES256'],
    ['RSA_2048', 'ES256', 'The key does not fit ES256'],
    ['ECC_NIST_P256', 'RS256', 'The key does not fit RS256'],
    ['ECC_NIST_P256', 'EdDSA', 'The key does not fit EdDSA'],
    ['HMAC_256', 'HS384', 'The key does not fit HS384'],
    ['HMAC_256', 'RS256', 'The key is not for signing with RS256'],
    ['RSA_2048', 'HS256', 'The key is not for signing with HS256'],
  ] as const)('a key of %s is refused for %s', async (spec, name, message) => {
    const { arn } = kms.add(spec)
    await expect(open(arn, name)).rejects.toMatchObject({ code: 'vault_key_unusable', message })
  })

  test('an answer about another key is refused', async () => {
    const { arn } = heldKey(kms, 'ES256')
    const other = heldKey(kms, 'ES256', 'other')
    const change = (answer: Readonly<Record<string, unknown>>) => ({
      KeyMetadata: { ...Object(answer['KeyMetadata']), Arn: other.arn },
    })
    kms.next({ kind: 'alter', change })
    await expect(open(arn)).rejects.toMatchObject({
      code: 'vault_key_unusable',
      message: 'The vault answered for another key',
    })
  })

  test.each(['', '{}', '[]', 'null'] as const)(
    'an answer of `%s` says nothing of the key: vault_unavailable, wherever it comes',
    async (body) => {
      const { arn } = heldKey(kms, 'ES256')
      const unavailable = { code: 'vault_unavailable', message: 'The vault cannot be reached' }
      kms.next({ kind: 'nothing', body }, { action: 'DescribeKey' })
      await expect(open(arn)).rejects.toMatchObject(unavailable)
      const signer = await open(arn)
      kms.next({ kind: 'nothing', body }, { action: 'GetPublicKey' })
      await expect(signer.publicKey(signal)).rejects.toMatchObject(unavailable)
      expect(await signer.publicKey(signal)).toBeDefined()
    },
  )

  test.each(['KeyId', 'PublicKey'])('a public half without its %s is none', async (part) => {
    const signer = await open(heldKey(kms, 'ES256').arn)
    for (const nothing of [undefined, '']) {
      kms.next({ kind: 'alter', change: (answer) => ({ ...answer, [part]: nothing }) })
      await expect(signer.publicKey(signal)).rejects.toMatchObject({ code: 'vault_unavailable' })
    }
  })

  test('the public half of another key is refused', async () => {
    const signer = await open(heldKey(kms, 'ES256').arn)
    kms.next({ kind: 'alter', change: (answer) => ({ ...answer, KeyId: someArn }) })
    await expect(signer.publicKey(signal)).rejects.toMatchObject({ code: 'vault_key_unusable' })
  })

  test.each([
    ['AWS_KMS', 'kms-generated'],
    ['EXTERNAL', 'kms-imported'],
  ])('a key of origin %s is in the custody %s', async (origin, custody) => {
    const key = heldKey(kms, 'ES256')
    key.origin = origin
    expect((await open(key.arn)).custody).toBe(custody)
  })
})

describe('[C7] a version is pinned by its key ARN', () => {
  test.each([
    ['an alias', 'alias/a-key', 'Not the full name of a key'],
    [
      'the ARN of an alias',
      'arn:aws:kms:eu-central-1:111122223333:alias/a-key',
      'Not the full name of a key',
    ],
    ['a key id', '1234abcd-12ab-34cd-56ef-1234567890ab', 'Not the full name of a key'],
    ['an ARN and more', `${someArn}/../x`, 'Not the full name of a key'],
    ['another service', someArn.replace(':kms:', ':s3:'), 'Not the full name of a key'],
    [
      'another region',
      someArn.replace('eu-central-1', 'us-east-1'),
      'The key is in another region',
    ],
  ])('%s is refused, and nothing is asked', async (_, resource, message) => {
    const before = kms.requests.length
    await expect(open(resource)).rejects.toMatchObject({ code: 'vault_key_unusable', message })
    expect(kms.requests.length).toBe(before)
  })

  test('opening asks once about the key, and once for its public half; a signature once', async () => {
    const { arn } = heldKey(kms, 'ES256')
    const before = kms.requests.length
    const signer = await open(arn)
    await signer.publicKey(signal)
    const asked = kms.requests.slice(before)
    expect(asked.map(({ action }) => action)).toEqual(['DescribeKey', 'GetPublicKey'])
    expect(asked.map(({ body }) => body)).toEqual([{ KeyId: arn }, { KeyId: arn }])
  })
})
