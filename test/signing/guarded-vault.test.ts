import { describe, expect, test } from 'vitest'
import { guardVaults } from '../../src/compose/vault-guards.ts'
import { ServiceError } from '../../src/errors.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { guardedVault, localVault } from '../../src/signing/guarded-vault.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import type { OpenedSigner, Vault } from '../../src/signing/signer.ts'
import { awsConfig } from '../support/aws-vault.ts'
import { fakeTime } from '../support/fake-time.ts'
import { codeOf, rememberingObserver } from '../support/guarded.ts'
import { memoryKey } from '../support/memory-key.ts'

const { signal } = new AbortController()
const row = algorithm('ES256')
const input = { message: new Uint8Array([1]), digest: undefined }
const version = { resource: 'one', algorithm: 'ES256' } as const
const never = () => new Promise<never>(() => {})

const { signer: one } = memoryKey('ES256')
const opened: OpenedSigner = { ...one, custody: 'kms-generated' }
const working: Vault = { open: async () => opened }
const hanging: Vault = { open: async () => ({ ...opened, sign: never, publicKey: never }) }
const neverOpened: Vault = { open: never }
const limits = { deadlineMs: 2_000, concurrency: 4, quotaPerSecond: undefined }

function remote(vault: Vault, clock: Clock, part: Partial<typeof limits> = {}) {
  const observer = rememberingObserver()
  const surroundings = { vault: 'aws', clock, observer }
  return { ...guardedVault(vault, { ...limits, ...part }, surroundings), observer }
}

describe('a vault over a network', () => {
  test('opens, shows its public key and signs as it does by itself', async () => {
    const { vault, observer } = remote(working, fakeTime())
    const signer = await vault.open(version, signal)
    expect(signer.custody).toBe('kms-generated')
    expect(await signer.publicKey(signal)).toEqual(await opened.publicKey(signal))
    expect(await signer.sign(input, row, signal)).toHaveLength(64)
    expect(observer.answered).toEqual(['aws ok', 'aws ok', 'aws ok'])
  })

  test('signs within its deadline, and has longer to open and to show a public key', async () => {
    const time = fakeTime()
    const { vault } = remote(hanging, time)
    const signer = await vault.open(version, signal)
    const signing = codeOf(signer.sign(input, row, signal))
    await time.pass(2_000)
    expect(await signing).toBe('deadline_exceeded')
    for (const asked of [
      () => signer.publicKey(signal),
      () => remote(neverOpened, time).vault.open(version, signal),
    ]) {
      const [beganMs, done] = [time.monotonicMs(), codeOf(asked())]
      await time.pass(8_000)
      expect([await done, time.monotonicMs() - beganMs]).toEqual(['deadline_exceeded', 8_000])
    }
  })

  test('that hangs takes no place, no quota and no breaker from another', async () => {
    const time = fakeTime()
    const observer = rememberingObserver()
    const configs = new Map([
      ['slow', awsConfig({ concurrency: 2 })],
      ['well', awsConfig({ concurrency: 2 })],
    ])
    const both = new Map([
      ['slow', hanging],
      ['well', working],
    ])
    const { vaults, conditions } = guardVaults(both, configs, { clock: time, observer })
    const signers = await Promise.all(
      [...vaults.values()].map((vault) => vault.open(version, signal)),
    )
    const [slow, well] = signers
    for (let i = 0; i < 600; i += 1) void codeOf(slow?.sign(input, row, signal) ?? never())
    for (let i = 0; i < 50; i += 1) {
      expect(await codeOf(well?.sign(input, row, signal) ?? never())).toBe('ok')
    }
    await time.pass(6_000)
    expect(conditions.get('slow')?.breakerState).toBe('open')
    expect(conditions.get('well')?.breakerState).toBe('closed')
    expect(await codeOf(well?.sign(input, row, signal) ?? never())).toBe('ok')
  })
})

describe('a vault on this host', () => {
  const local = (vault: Vault, part: Partial<Parameters<typeof localVault>[1]> = {}) => {
    const [clock, observer] = [fakeTime(), rememberingObserver()]
    const own = { deadlineMs: undefined, quotaPerSecond: undefined, ...part }
    const guarded = localVault(vault, own, { vault: 'local', clock, observer })
    return { time: clock, observer, vault: guarded }
  }

  test('is asked once, and never cut off', async () => {
    const failing = async () => {
      throw new ServiceError('vault_unavailable', 'The disk')
    }
    const { vault, observer, time } = local({ open: async () => ({ ...opened, sign: failing }) })
    const signer = await vault.open(version, signal)
    for (let i = 0; i < 20; i += 1) {
      expect(await codeOf(signer.sign(input, row, signal))).toBe('vault_unavailable')
    }
    await time.pass(1_000)
    expect(observer.answered).toHaveLength(21)
    expect(observer.refused).toEqual([])
  })

  test('keeps a deadline and a quota where it was given them', async () => {
    const { vault, time } = local(hanging, { deadlineMs: 1_000, quotaPerSecond: 1 })
    const signer = await vault.open(version, signal)
    const [first, second] = [1, 2].map(() => codeOf(signer.sign(input, row, signal)))
    expect(await second).toBe('vault_throttled')
    await time.pass(1_000)
    expect(await first).toBe('deadline_exceeded')
  })

  test('passes on why its caller gave up', async () => {
    const { vault } = local(hanging, { deadlineMs: 1_000 })
    const signer = await vault.open(version, signal)
    const reason = new Error('the caller hung up')
    const caller = new AbortController()
    const asked = signer.sign(input, row, caller.signal)
    caller.abort(reason)
    await expect(asked).rejects.toBe(reason)
  })
})
