import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { awsEnvironment, awsVault, disablerOf, heldKey, someArn } from '../../support/aws-vault.ts'
import { fakeKms, type FakeKms } from '../../support/fake-kms.ts'

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

test('a disabled key cannot be opened any more, and is not deleted', async () => {
  const { arn } = heldKey(kms, 'ES256')
  const other = heldKey(kms, 'ES256', 'other')
  await disablerOf(kms).disable(arn, signal)
  const opening = awsVault(kms).open({ resource: arn, algorithm: 'ES256' }, signal)
  await expect(opening).rejects.toMatchObject({ code: 'vault_key_unusable' })
  expect(kms.keyAt(arn)).toMatchObject({ state: 'Disabled', deletionDate: undefined })
  expect(other.state).toBe('Enabled')
  expect(kms.count('ScheduleKeyDeletion')).toBe(0)
})

test('disabling twice is one disabled key', async () => {
  const { arn } = heldKey(kms, 'ES256')
  await disablerOf(kms).disable(arn, signal)
  await disablerOf(kms).disable(arn, signal)
  expect(kms.keyAt(arn).state).toBe('Disabled')
})

test.each(['PendingDeletion', 'PendingImport', 'Unavailable'])(
  'a key that is %s signs no more: there is nothing to disable',
  async (state) => {
    const key = heldKey(kms, 'ES256')
    key.state = state
    await disablerOf(kms).disable(key.arn, signal)
    expect(key.state).toBe(state)
  },
)

test('a key that is gone is no failure', async () => {
  await expect(disablerOf(kms).disable(someArn, signal)).resolves.toBeUndefined()
})

describe('what is not known to be disabled is not reported as it', () => {
  test.each([
    ['AccessDeniedException', 'vault_denied'],
    ['ThrottlingException', 'vault_throttled'],
    ['KMSInternalException', 'vault_unavailable'],
    ['KMSInvalidStateException', 'vault_key_unusable'], // and the vault says that it is enabled
  ])('%s is %s', async (type, code) => {
    const { arn } = heldKey(kms, 'ES256')
    kms.next({ kind: 'error', type }, { action: 'DisableKey' })
    await expect(disablerOf(kms).disable(arn, signal)).rejects.toMatchObject({ code })
    expect(kms.keyAt(arn).state).toBe('Enabled')
  })

  test('the vault refuses, and cannot be asked why', async () => {
    const { arn } = heldKey(kms, 'ES256')
    kms.next({ kind: 'error', type: 'KMSInvalidStateException' }, { action: 'DisableKey' })
    kms.next({ kind: 'reset' }, { action: 'DescribeKey' })
    const disabling = disablerOf(kms).disable(arn, signal)
    await expect(disabling).rejects.toMatchObject({ code: 'vault_key_unusable' })
  })
})

test.each(['alias/a-key', someArn.replace('eu-central-1', 'us-east-1'), ''])(
  'another place’s name, %s, is refused before anything is asked',
  async (resource) => {
    const before = kms.requests.length
    const disabling = disablerOf(kms).disable(resource, signal)
    await expect(disabling).rejects.toMatchObject({ code: 'vault_key_unusable' })
    expect(kms.requests.length).toBe(before)
  },
)
