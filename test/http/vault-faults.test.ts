import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { guardedVault } from '../../src/signing/guarded-vault.ts'
import type { Signer } from '../../src/signing/signer.ts'
import { awsEnvironment, awsVault, heldKey } from '../support/aws-vault.ts'
import { fakeKms, type FakeKms } from '../support/fake-kms.ts'
import { fakeTime } from '../support/fake-time.ts'
import { rememberingObserver } from '../support/guarded.ts'
import { goodClaims, house, houseKeys } from '../support/house.ts'
import { manualClock } from '../support/manual-clock.ts'
import { memoryKey } from '../support/memory-key.ts'
import { type Answer, signListener, signPath } from '../support/sign-listener.ts'
import { heldVersion, patience } from '../support/signing-service.ts'

let kms: FakeKms

beforeAll(async () => {
  for (const [name, value] of Object.entries(awsEnvironment)) vi.stubEnv(name, value)
  kms = await fakeKms()
})

afterAll(async () => {
  await kms[Symbol.asyncDispose]()
  vi.unstubAllEnvs()
})

/** Of what no test waits for. */
const longMs = 60_000

/** The sign listener over one key in AWS KMS, as `serve` composes it. The vault's guard has a clock that stands still. */
async function inAws({ clock = manualClock(), deadlineMs = longMs, quotaPerSecond }: Setting = {}) {
  const { arn: resource } = heldKey(kms, 'ES256')
  const { vault } = guardedVault(
    awsVault(kms),
    { deadlineMs, quotaPerSecond, concurrency: 64 },
    { vault: 'aws', clock, observer: rememberingObserver() },
  )
  const signer: Signer = await vault.open({ resource, algorithm: 'ES256' }, patience)
  const held = [heldVersion(houseKeys.reports, { memory: memoryKey('ES256'), signer })]
  const { ask, lines } = await signListener({ held, grants: house().grants })
  const failures = () => lines.filter((line) => line.includes('request failed')).length
  return Object.assign(() => ask(signPath('reports'), { body: goodClaims }), { failures })
}

type Setting = {
  readonly clock?: Clock
  readonly deadlineMs?: number
  readonly quotaPerSecond?: number
}

function seen({ status, headers, body }: Answer) {
  return { status, code: body['code'], retryAfter: headers.get('retry-after') ?? undefined }
}

test('one that is down is not asked after a while, and its callers are told when to come again', async () => {
  const time = fakeTime()
  const sign = await inAws({ clock: time, deadlineMs: 300 })
  const held = kms.count('Sign') + 5
  kms.next({ kind: 'silence' }, { action: 'Sign', times: 5 })
  const hanging = Promise.all(Array.from({ length: 5 }, () => sign()))
  while (kms.count('Sign') < held) {
    await turn()
    vi.advanceTimersByTime(0)
  }
  await time.pass(300)
  const hung = await hanging
  expect(new Set(hung.map(({ status }) => status))).toEqual(new Set([504]))
  const before = kms.count('Sign')
  expect(seen(await sign())).toEqual({ status: 503, code: 'vault_unavailable', retryAfter: '5' })
  expect([kms.count('Sign'), sign.failures()]).toEqual([before, 0])
})

test('one that says when to come again is not asked before, and its callers are told', async () => {
  const sign = await inAws()
  const before = kms.count('Sign')
  kms.next({ kind: 'throttle', retryAfterSeconds: 7 }, { action: 'Sign' })
  const told = { status: 503, code: 'vault_throttled', retryAfter: '7' }
  expect(seen(await sign())).toEqual(told)
  expect(seen(await sign())).toEqual(told)
  expect(kms.count('Sign') - before).toBe(1)
})

test('one that says to come again after an hour is not believed', async () => {
  const sign = await inAws()
  const before = kms.count('Sign')
  kms.next({ kind: 'throttle', retryAfterSeconds: 3_600 }, { action: 'Sign' })
  expect((await sign()).status).toBe(200)
  expect(kms.count('Sign') - before).toBe(2)
})

test('beyond our quota nothing is sent, and callers are told when to come again', async () => {
  const sign = await inAws({ quotaPerSecond: 1 / 60 })
  expect((await sign()).status).toBe(200)
  const before = kms.count('Sign')
  expect(seen(await sign())).toEqual({ status: 503, code: 'vault_throttled', retryAfter: '60' })
  expect([kms.count('Sign'), sign.failures()]).toEqual([before, 0])
})

test('a failure that another try could mend is told with its cause to the log alone', async () => {
  const cause = new Error('canary host-7.internal')
  const signer: Signer = {
    ...memoryKey('ES256').signer,
    sign: async () => {
      throw new ServiceError('vault_unavailable', 'The vault cannot be reached', { cause })
    },
  }
  const { vault } = guardedVault(
    { open: async () => ({ ...signer, custody: 'kms-generated' }) },
    { deadlineMs: longMs, concurrency: 1, quotaPerSecond: undefined },
    { vault: 'aws', clock: manualClock(), observer: rememberingObserver() },
  )
  const guarded = await vault.open({ resource: 'one', algorithm: 'ES256' }, patience)
  const held = [heldVersion(houseKeys.reports, { signer: guarded })]
  const { ask, lines } = await signListener({ held, grants: house().grants })
  expect((await ask(signPath('reports'), { body: goodClaims })).status).toBe(503)
  expect(lines.join('\n')).toContain('canary host-7.internal')
})
