import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { usual } from '../../../providers/aws-kms/consistency.ts'
import { awsImporter } from '../../../providers/aws-kms/importer.ts'
import { ulidSource } from '../../../src/lib/ulid.ts'
import type { ImportRequest } from '../../../src/signing/signer.ts'
import {
  awsConfig,
  awsEnvironment,
  awsVault,
  makerSurroundings,
  quickImporter,
} from '../../support/aws-vault.ts'
import { leaks } from '../../support/canaries.ts'
import { fakeKms, type FakeKms } from '../../support/fake-kms.ts'
import type { Fault } from '../../support/fake-kms/fault.ts'
import { memoryKey } from '../../support/memory-key.ts'
import { unhurried } from '../../support/key-maker.ts'

const { signal } = new AbortController()
const newId = ulidSource()
let kms: FakeKms

beforeAll(() => {
  for (const [name, value] of Object.entries(awsEnvironment)) vi.stubEnv(name, value)
})
beforeEach(async () => {
  kms = await fakeKms()
  return () => kms[Symbol.asyncDispose]()
})
afterAll(() => void vi.unstubAllEnvs())

const request = (part: Partial<ImportRequest> = {}): ImportRequest => ({
  intentId: newId(1_800_000_000_000),
  name: 'bot@3',
  algorithm: 'ES256',
  material: memoryKey('ES256').secret,
  ...part,
})

const bodyOf = (action: string) => kms.requests.find((one) => one.action === action)?.body
const onlyKey = () => {
  const [key, ...others] = kms.world.keys.values()
  if (!key || others.length > 0) throw new Error(`${others.length + 1} keys, or none`)
  return key
}

describe('what is sent', () => {
  test('[C14] a key without material, for signing only, with its intent as a tag; then the material, for ever', async () => {
    const asked = request({ algorithm: 'RS256', material: memoryKey('RS256').secret })
    const arn = await quickImporter(kms).import(asked, signal)
    expect(kms.requests.map(({ action }) => action)).toEqual([
      'CreateKey',
      'DescribeKey',
      'GetParametersForImport',
      'ImportKeyMaterial',
      'DescribeKey',
      'GetPublicKey',
    ])
    expect(bodyOf('CreateKey')).toEqual({
      KeySpec: 'RSA_2048',
      KeyUsage: 'SIGN_VERIFY',
      Origin: 'EXTERNAL',
      MultiRegion: false,
      BypassPolicyLockoutSafetyCheck: false,
      Description: 'Chancery bot@3',
      Tags: [
        { TagKey: 'chancery:intent', TagValue: asked.intentId },
        { TagKey: 'chancery:environment', TagValue: 'dev' },
      ],
    })
    expect(bodyOf('ImportKeyMaterial')).toMatchObject({
      KeyId: arn,
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    })
    const opened = await awsVault(kms).open({ resource: arn, algorithm: 'RS256' }, signal)
    expect(opened.custody).toBe('kms-imported')
  })

  test.each([
    ['RS256', 'RSA_AES_KEY_WRAP_SHA_256'],
    ['PS512', 'RSA_AES_KEY_WRAP_SHA_256'],
    ['ES256', 'RSAES_OAEP_SHA_256'],
    ['ES512', 'RSAES_OAEP_SHA_256'],
    ['EdDSA', 'RSAES_OAEP_SHA_256'],
    ['HS256', 'RSAES_OAEP_SHA_256'],
  ] as const)('%s is wrapped by %s under RSA-4096', async (algorithm, WrappingAlgorithm) => {
    const { secret: material } = memoryKey(algorithm)
    await quickImporter(kms).import(request({ algorithm, material }), signal)
    expect(bodyOf('GetParametersForImport')).toMatchObject({
      WrappingAlgorithm,
      WrappingKeySpec: 'RSA_4096',
    })
  })

  test('no request shows a byte of the key, and a sent key would have shown', async () => {
    const secret = randomBytes(48)
    const asked = request({ algorithm: 'HS256', material: createSecretKey(secret) })
    await quickImporter(kms).import(asked, signal)
    const canaries = [{ name: 'secret', secret }]
    const sent = (body: unknown) => [{ name: 'wire', content: Buffer.from(JSON.stringify(body)) }]
    expect(leaks(sent(kms.requests), canaries)).toEqual([])
    expect(leaks(sent(secret.toString('base64')), canaries)).not.toEqual([])
  })

  test('two imports of one key are two ciphertexts', async () => {
    const material = memoryKey('RS256').secret
    for (let time = 0; time < 2; time += 1) {
      await quickImporter(kms).import(request({ algorithm: 'RS256', material }), signal)
    }
    const schema = z.object({ EncryptedKeyMaterial: z.string() })
    const sent = kms.requests.filter(({ action }) => action === 'ImportKeyMaterial')
    const texts = sent.map(({ body }) => schema.parse(body).EncryptedKeyMaterial)
    expect(new Set(texts).size).toBe(2)
    const heads = new Set(
      texts.map((text) => Buffer.from(text, 'base64').subarray(-64).toString('hex')),
    )
    expect(heads.size).toBe(2)
  })

  test('neither ListKeys nor any tag is needed to import', async () => {
    for (const action of ['ListKeys', 'ListResourceTags']) kms.world.denied.add(action)
    expect(await quickImporter(kms).import(request(), signal)).toContain('arn:')
  })

  test('a new key is looked at until the vault sees it', async () => {
    kms.world.hiddenReads = 3
    await quickImporter(kms).import(request(), signal)
    expect(kms.count('CreateKey')).toBe(1)
    expect(kms.count('GetParametersForImport')).toBe(1)
    expect(kms.count('DescribeKey')).toBe(4 + 1)
  })
})

describe('the wrapping key, for which an account may ask once in 4 seconds', () => {
  /** How long it waited, in place of waiting. */
  const paused = () => {
    const waits: number[] = []
    const consistency = { ...usual, wait: async (ms: number) => void waits.push(ms) }
    const importer = awsImporter(
      awsConfig({ endpoint: kms.endpoint }),
      makerSurroundings,
      consistency,
    )
    return { importer, waits }
  }
  const action = 'GetParametersForImport'

  test.each<[string, Fault, number]>([
    ['throttled', { kind: 'error', type: 'ThrottlingException' }, 4_000],
    ['throttled for a time that it names', { kind: 'throttle', retryAfterSeconds: 8 }, 8_000],
    ['throttled for less than that', { kind: 'throttle', retryAfterSeconds: 1 }, 4_000],
    [
      'asked of a machine that does not see the key',
      { kind: 'error', type: 'NotFoundException' },
      4_000,
    ],
  ])('%s: asked for again in its time, and the key is made once', async (_, fault, ms) => {
    const { importer, waits } = paused()
    kms.next(fault, { action })
    expect(await importer.import(request(), signal)).toBe(onlyKey().arn)
    expect(waits).toEqual([ms])
    expect([kms.count(action), kms.count('CreateKey')]).toEqual([2, 1])
  })

  test('throttled on and on: asked for three times, and the key stays to be filled', async () => {
    const { importer, waits } = paused()
    kms.next({ kind: 'error', type: 'ThrottlingException' }, { action, times: 3 })
    const asked = request()
    await expect(importer.import(asked, signal)).rejects.toMatchObject({ code: 'vault_throttled' })
    expect(waits).toEqual([4_000, 4_000])
    expect(kms.count(action)).toBe(3)
    const [found] = await importer.find(asked, signal, unhurried)
    await found?.fill?.(asked, signal)
    expect(onlyKey()).toMatchObject({ state: 'Enabled' })
  })

  test('throttled for longer than there is time: not waited for, and filled by the next run', async () => {
    const { importer, waits } = paused()
    kms.next({ kind: 'throttle', retryAfterSeconds: 9 }, { action })
    const asked = request()
    await expect(importer.import(asked, signal)).rejects.toMatchObject({
      code: 'vault_throttled',
      details: { retryAfterMs: 9_000 },
    })
    expect([waits, kms.count(action)]).toEqual([[], 1])
    const [found] = await importer.find(asked, signal, unhurried)
    await found?.fill?.(asked, signal)
    expect(onlyKey()).toMatchObject({ state: 'Enabled' })
    expect(kms.count('CreateKey')).toBe(1)
  })

  test('waiting for its turn ends with the signal’s reason', async () => {
    const reason = new Error('the command is stopping')
    const stopping = new AbortController()
    const wait = (_: number, waited: AbortSignal) => {
      stopping.abort(reason)
      return Promise.reject(waited.reason)
    }
    const config = awsConfig({ endpoint: kms.endpoint })
    const importer = awsImporter(config, makerSurroundings, { ...usual, wait })
    kms.next({ kind: 'error', type: 'ThrottlingException' }, { action })
    await expect(importer.import(request(), stopping.signal)).rejects.toBe(reason)
    expect(kms.count(action)).toBe(1)
  })

  test('any other failure is no reason to ask again', async () => {
    const { importer, waits } = paused()
    kms.next({ kind: 'reset' }, { action })
    await expect(importer.import(request(), signal)).rejects.toMatchObject({
      code: 'vault_unavailable',
    })
    expect(waits).toEqual([])
    expect(kms.count(action)).toBe(1)
  })
})

const lost: Fault = { kind: 'lost-reply' }

describe('an import whose end is not known', () => {
  test.each(['GetParametersForImport', 'ImportKeyMaterial'] as const)(
    'ended before %s: the key is found empty, filled, and signs',
    async (action) => {
      kms.next({ kind: 'reset' }, { action })
      const asked = request()
      const importing = quickImporter(kms).import(asked, signal)
      await expect(importing).rejects.toMatchObject({ code: 'vault_unavailable' })
      expect(onlyKey().state).toBe('PendingImport')

      const [found] = await quickImporter(kms).find(asked, signal, unhurried)
      expect(found?.resource).toBe(onlyKey().arn)
      await found?.fill?.(asked, signal)
      expect(onlyKey()).toMatchObject({ state: 'Enabled' })
      const [again] = await quickImporter(kms).find(asked, signal, unhurried)
      expect(again).toEqual({ resource: onlyKey().arn, fill: undefined })
      await awsVault(kms).open({ resource: onlyKey().arn, algorithm: 'ES256' }, signal)
      expect(kms.count('CreateKey')).toBe(1)
    },
  )

  test('done, and the reply was lost: the key is found whole', async () => {
    kms.next(lost, { action: 'ImportKeyMaterial' })
    const asked = request()
    const importing = quickImporter(kms).import(asked, signal)
    await expect(importing).rejects.toMatchObject({ code: 'vault_unavailable' })
    const [found] = await quickImporter(kms).find(asked, signal, unhurried)
    expect(found).toEqual({ resource: onlyKey().arn, fill: undefined })
  })

  test('another key does not go into one that was made for this one', async () => {
    kms.next({ kind: 'reset' }, { action: 'ImportKeyMaterial' })
    const asked = request()
    const importing = quickImporter(kms).import(asked, signal)
    await expect(importing).rejects.toMatchObject({ code: 'vault_unavailable' })
    const [found] = await quickImporter(kms).find(asked, signal, unhurried)
    const other = { ...asked, material: memoryKey('ES384').secret }
    await expect(found?.fill?.(other, signal)).rejects.toMatchObject({ code: 'vault_key_unusable' })
    expect(onlyKey().state).toBe('PendingImport')
  })
})

describe('what the vault refuses', () => {
  test.each([
    ['ExpiredImportTokenException', 'vault_unavailable'],
    ['IncorrectKeyMaterialException', 'vault_key_unusable'],
    ['InvalidCiphertextException', 'vault_key_unusable'],
    ['InvalidImportTokenException', 'vault_key_unusable'],
    ['KMSInvalidStateException', 'vault_key_unusable'],
    ['LimitExceededException', 'vault_denied'],
    ['AccessDeniedException', 'vault_denied'],
    ['ThrottlingException', 'vault_throttled'],
  ])('%s is %s, and names nothing of the vault', async (type, code) => {
    kms.next({ kind: 'error', type }, { action: 'ImportKeyMaterial' })
    const error: unknown = await quickImporter(kms)
      .import(request(), signal)
      .catch((e: unknown) => e)
    expect(error).toMatchObject({ code })
    expect(kms.internals.filter((text) => String(error).includes(text))).toEqual([])
  })

  test('whoever may not import is told which permission is missing', async () => {
    for (const action of ['ImportKeyMaterial', 'GetParametersForImport', 'CreateKey']) {
      kms.world.denied.add(action)
      const importing = quickImporter(kms).import(request(), signal)
      await expect(importing).rejects.toThrow(`allow kms:${action}`)
    }
  })

  test.each([
    ['another key’s', (arn: string) => ({ KeyId: `${arn}0` })],
    ['no wrapping key', () => ({ PublicKey: '' })],
    ['a wrapping key that is none', () => ({ PublicKey: 'AAAA' })],
    ['a small wrapping key', () => ({ PublicKey: smallKey() })],
  ])('%s parameters: nothing is wrapped, and nothing sent', async (_, part) => {
    const change = (answer: object) => ({ ...answer, ...part(onlyKey().arn) })
    kms.next({ kind: 'alter', change }, { action: 'GetParametersForImport' })
    const importing = quickImporter(kms).import(request(), signal)
    await expect(importing).rejects.toMatchObject({ code: 'vault_unavailable' })
    expect(kms.count('ImportKeyMaterial')).toBe(0)
  })
})

/** RSA-2048, as DER in base64. */
function smallKey(): string {
  const { publicKey } = memoryKey('RS256')
  return Buffer.from(publicKey?.spki ?? []).toString('base64')
}

test('a key of another kind than its algorithm is not made', async () => {
  const material: KeyObject = memoryKey('RS256').secret
  const importing = quickImporter(kms).import(request({ material }), signal)
  await expect(importing).rejects.toMatchObject({ code: 'vault_key_unusable' })
  expect(kms.world.keys.size).toBe(0)
})
