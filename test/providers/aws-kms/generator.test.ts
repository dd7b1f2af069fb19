import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { usual } from '../../../providers/aws-kms/consistency.ts'
import { awsGenerator } from '../../../providers/aws-kms/generator.ts'
import { findSettled } from '../../../src/rotation/find-settled.ts'
import { ulidSource } from '../../../src/lib/ulid.ts'
import type { GenerateRequest } from '../../../src/signing/signer.ts'
import {
  awsConfig,
  awsEnvironment,
  makerSurroundings,
  quickGenerator,
} from '../../support/aws-vault.ts'
import { fakeKms, type FakeKms } from '../../support/fake-kms.ts'
import { unhurried } from '../../support/key-maker.ts'
import { eventually } from '../../support/serving.ts'

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

const request = (part: Partial<GenerateRequest> = {}): GenerateRequest => ({
  intentId: newId(1_800_000_000_000),
  name: 'reports@3',
  algorithm: 'ES256',
  modulusBits: undefined,
  ...part,
})

describe('what is made', () => {
  test('a key for signing only, of this region only, with its intent as a tag', async () => {
    const asked = request({ algorithm: 'PS512', modulusBits: 2048 })
    const arn = await quickGenerator(kms).generate(asked, signal)
    expect(kms.requests[0]).toMatchObject({ action: 'CreateKey' })
    expect(kms.requests[0]?.body).toEqual({
      KeySpec: 'RSA_2048',
      KeyUsage: 'SIGN_VERIFY',
      Origin: 'AWS_KMS',
      MultiRegion: false,
      BypassPolicyLockoutSafetyCheck: false,
      Description: 'Chancery reports@3',
      Tags: [
        { TagKey: 'chancery:intent', TagValue: asked.intentId },
        { TagKey: 'chancery:environment', TagValue: 'dev' },
      ],
    })
    expect(kms.keyAt(arn)).toMatchObject({ usage: 'SIGN_VERIFY', state: 'Enabled' })
  })

  test('an HMAC key generates MACs, and its public half is not asked for', async () => {
    await quickGenerator(kms).generate(request({ algorithm: 'HS384' }), signal)
    expect(kms.requests.map(({ action }) => action)).toEqual(['CreateKey', 'DescribeKey'])
    expect(kms.requests[0]?.body).toMatchObject({
      KeySpec: 'HMAC_384',
      KeyUsage: 'GENERATE_VERIFY_MAC',
    })
  })

  test('neither ListKeys nor any tag is needed to make one', async () => {
    for (const action of ['ListKeys', 'ListResourceTags']) kms.world.denied.add(action)
    expect(await quickGenerator(kms).generate(request(), signal)).toContain('arn:')
  })
})

describe('a vault that is eventually consistent', () => {
  test('a new key is looked at until the vault sees it', async () => {
    kms.world.hiddenReads = 3
    await quickGenerator(kms).generate(request(), signal)
    expect(kms.count('CreateKey')).toBe(1)
    expect(kms.count('DescribeKey')).toBe(4)
  })

  test('looking ends, and the key is found by its tag later', async () => {
    kms.world.hiddenReads = 1_000
    const asked = request()
    const made = quickGenerator(kms).generate(asked, signal)
    await expect(made).rejects.toMatchObject({ code: 'vault_key_unusable' })
    expect(kms.count('CreateKey', 'DescribeKey')).toBe(1 + 5)
    const [key] = kms.world.keys.values()
    if (key) key.hiddenReads = 0
    expect(await quickGenerator(kms).find(asked, signal, unhurried)).toEqual([key?.arn])
  })

  test('looking ends with the signal’s reason', async () => {
    kms.world.hiddenReads = 1_000
    const patient = { ...usual, lookEveryMs: 60_000, settleMs: 60_000 }
    const generator = awsGenerator(
      awsConfig({ endpoint: kms.endpoint }),
      makerSurroundings,
      patient,
    )
    const reason = new Error('the job is stopping')
    const stopping = new AbortController()
    const made = generator.generate(request(), stopping.signal)
    const found = findSettled(generator, request(), stopping.signal, unhurried)
    await eventually(() => kms.count('DescribeKey') === 1)
    stopping.abort(reason)
    await expect(made).rejects.toBe(reason)
    await expect(found).rejects.toBe(reason)
    expect(kms.count('ListKeys')).toBe(0)
  })

  test('a key that is not listed yet is found later, and there is a time for that', async () => {
    kms.world.hiddenLists = 1
    const asked = request()
    const generator = quickGenerator(kms)
    const arn = await generator.generate(asked, signal)
    expect(generator.settleMs).toBe(1)
    expect(await generator.find(asked, signal, unhurried)).toEqual([])
    expect(await findSettled(generator, asked, signal, unhurried)).toEqual([arn])
    expect(kms.count('ListKeys')).toBe(2)
  })

  test('every key that bears the intent is found, the eldest first', async () => {
    const asked = request()
    const generator = quickGenerator(kms)
    const arns = [
      await generator.generate(asked, signal),
      await generator.generate(request(), signal),
      await generator.generate(asked, signal),
    ]
    for (const [i, key] of [...kms.world.keys.values()].entries())
      key.createdSeconds = 1_795_000_003 - i
    expect(await generator.find(asked, signal, unhurried)).toEqual([arns[2], arns[0]])
  })
})

describe('a reply that is lost', () => {
  test('is vault_unavailable, CreateKey is not sent again, and the key is found', async () => {
    const asked = request()
    const generator = quickGenerator(kms)
    kms.next({ kind: 'lost-reply' }, { action: 'CreateKey' })
    await expect(generator.generate(asked, signal)).rejects.toMatchObject({
      code: 'vault_unavailable',
    })
    expect(kms.count('CreateKey')).toBe(1)
    const [key] = kms.world.keys.values()
    expect(await generator.find(asked, signal, unhurried)).toEqual([key?.arn])
  })

  test('an answer that names no key is vault_unavailable', async () => {
    kms.next({ kind: 'alter', change: () => ({}) }, { action: 'CreateKey' })
    await expect(quickGenerator(kms).generate(request(), signal)).rejects.toMatchObject({
      code: 'vault_unavailable',
    })
  })
})

type Answer = Readonly<Record<string, unknown>>

const sought = (intentId: string) => ({ intentId, name: 'reports@3' })

describe('[C19] finding', () => {
  const tagged = (intentId: string) => ({
    tags: [
      { TagKey: 'team', TagValue: intentId },
      { TagKey: 'chancery:intent', TagValue: intentId },
    ],
  })
  const secret = () => kms.add('ECC_NIST_P256').secret

  test.each([
    ['on the first page', 0],
    ['on the last of many', 41],
  ])('a key %s is found among 42', async (_, place) => {
    const shared = { secret: secret() }
    kms.world.pageMax = 5
    for (let at = 0; at < 42; at += 1) {
      kms.add('ECC_NIST_P256', { ...shared, ...(at === place ? tagged('ours') : tagged(`${at}`)) })
    }
    const found = await quickGenerator(kms).find(sought('ours'), signal, unhurried)
    expect(found).toEqual([[...kms.world.keys.keys()][place + 1]])
  })

  test('whoever waits is asked before each page, and before each ten keys of it', async () => {
    const shared = { secret: secret() }
    for (let at = 0; at < 298; at += 1) kms.add('ECC_NIST_P256', shared)
    const ours = kms.add('ECC_NIST_P256', { ...shared, ...tagged('ours') })
    const asked: number[] = []
    const goOn = async () => void asked.push(kms.requests.length)
    const found = await quickGenerator(kms).find(sought('ours'), signal, goOn)
    expect(found).toEqual([ours.arn])
    const page = [0, 1, ...Array.from({ length: 9 }, (_, i) => 11 + 10 * i)]
    expect(asked).toEqual([...page, ...page.map((n) => n + 101), ...page.map((n) => n + 202)])
  })

  test.each<[string, (stopping: AbortController, reason: Error) => void]>([
    [
      'whoever waits has to give up',
      (_, reason) => {
        throw reason
      },
    ],
    ['its signal fires', (stopping, reason) => stopping.abort(reason)],
  ])('in the middle of it %s: the reason, and no "not found"', async (_, end) => {
    const shared = { secret: secret() }
    for (let at = 0; at < 40; at += 1) kms.add('ECC_NIST_P256', { ...shared, ...tagged(`${at}`) })
    const stopping = new AbortController()
    const reason = new Error('the job has lost its lease')
    const goOn = async () => {
      if (kms.count('ListResourceTags') === 20) end(stopping, reason)
    }
    const finding = quickGenerator(kms).find(sought('39'), stopping.signal, goOn)
    await expect(finding).rejects.toBe(reason)
    expect(kms.count('ListResourceTags')).toBe(20)
  })

  const more = (page: Answer) => ({ ...page, Truncated: true })
  test.each<[string, string, (page: Answer) => Answer]>([
    ['no list', 'ListKeys', () => ({})],
    ['more, and not where it goes on', 'ListKeys', more],
    ['a key without its ARN', 'ListKeys', (page) => ({ ...page, Keys: [{ KeyId: 'one' }] })],
    ['no tags', 'ListResourceTags', ({ Truncated }) => ({ Truncated })],
    ['more tags, and not where they go on', 'ListResourceTags', more],
    ['a tag without its name', 'ListResourceTags', () => ({ Tags: [{ TagValue: 'ours' }] })],
    ['a tag without its value', 'ListResourceTags', () => ({ Tags: [{ TagKey: 'team' }] })],
  ])('an answer with %s is no "not found": vault_unavailable', async (_, action, change) => {
    kms.add('ECC_NIST_P256', tagged('another'))
    kms.next({ kind: 'alter', change }, { action })
    const finding = quickGenerator(kms).find(sought('ours'), signal, unhurried)
    await expect(finding).rejects.toMatchObject({ code: 'vault_unavailable' })
    expect([kms.count('ListKeys'), kms.count(action)]).toEqual([1, 1])
  })

  test('a tag on the last of a key’s pages is found, and pages without an end are no "not found"', async () => {
    const others = Array.from({ length: 60 }, (_, i) => ({ TagKey: `team${i}`, TagValue: 'ours' }))
    const ours = kms.add('ECC_NIST_P256', { tags: [...others, ...tagged('ours').tags] })
    const find = () => quickGenerator(kms).find(sought('ours'), signal, unhurried)
    expect(await find()).toEqual([ours.arn])
    expect(kms.count('ListResourceTags')).toBe(2)
    const change = (page: Answer) => ({ ...page, Tags: [], Truncated: true, NextMarker: '1' })
    kms.next({ kind: 'alter', change }, { action: 'ListResourceTags', times: 100 })
    await expect(find()).rejects.toMatchObject({ code: 'vault_unavailable' })
    expect(kms.count('ListResourceTags')).toBe(2 + 4)
  })

  test('a tag of another name with the same value is none of ours', async () => {
    kms.add('ECC_NIST_P256', { tags: [{ TagKey: 'team', TagValue: 'ours' }] })
    expect(await quickGenerator(kms).find(sought('ours'), signal, unhurried)).toEqual([])
  })

  test('an empty last page is the end', async () => {
    kms.world.pageMax = 1
    kms.world.hasEmptyLastPage = true
    kms.add('ECC_NIST_P256')
    expect(await quickGenerator(kms).find(sought('ours'), signal, unhurried)).toEqual([])
    expect(kms.count('ListKeys')).toBe(2)
  })

  test('another’s key that may not be looked at, and one that is gone by now, do not end it', async () => {
    const shared = { secret: secret() }
    kms.add('ECC_NIST_P256', { ...shared, isForbidden: true })
    kms.add('ECC_NIST_P256', { ...shared, hiddenReads: 1_000 })
    const ours = kms.add('ECC_NIST_P256', { ...shared, ...tagged('ours') })
    expect(await quickGenerator(kms).find(sought('ours'), signal, unhurried)).toEqual([ours.arn])
    expect(await quickGenerator(kms).find(sought('another'), signal, unhurried)).toEqual([])
  })

  test.each(['ListKeys', 'ListResourceTags'])(
    'without kms:%s it is not "not found": vault_denied, and the permission is named',
    async (action) => {
      kms.add('ECC_NIST_P256')
      kms.world.denied.add(action)
      await expect(
        quickGenerator(kms).find(sought('ours'), signal, unhurried),
      ).rejects.toMatchObject({
        code: 'vault_denied',
        message: `The vault denied the request: allow kms:${action}`,
      })
    },
  )

  test.each([
    ['throttling', { kind: 'throttle', retryAfterSeconds: 1 }, 'vault_throttled'],
    ['a reset', { kind: 'reset' }, 'vault_unavailable'],
  ] as const)('%s in the middle is not "not found": %o is %s', async (_, fault, code) => {
    kms.add('ECC_NIST_P256')
    kms.next(fault, { action: 'ListResourceTags' })
    await expect(quickGenerator(kms).find(sought('ours'), signal, unhurried)).rejects.toMatchObject(
      { code },
    )
  })
})

test.each([
  ['AccessDeniedException', 'vault_denied', 'The vault denied the request: allow kms:CreateKey'],
  ['LimitExceededException', 'vault_denied', 'The vault takes no more keys: raise its quota'],
  ['ThrottlingException', 'vault_throttled', 'The vault is throttling'],
  ['KMSInternalException', 'vault_unavailable', 'The vault cannot be reached'],
])('CreateKey that meets %s is %s, sent once, and makes nothing', async (type, code, message) => {
  kms.next({ kind: 'error', type })
  const made = quickGenerator(kms).generate(request(), signal)
  await expect(made).rejects.toMatchObject({ code, message })
  expect(kms.count('CreateKey')).toBe(1)
  expect(kms.world.keys.size).toBe(0)
})
