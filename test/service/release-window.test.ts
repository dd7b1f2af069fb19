import { describe, expect, test } from 'vitest'
import { releaseWindowMs } from '../../src/service/release-window.ts'
import { signFor } from '../../src/service/sign.ts'
import { refusing, type Verdict } from '../support/audit-log.ts'
import { house } from '../support/house.ts'
import { settle } from '../support/pending.ts'
import { commandFor, patience, signingService } from '../support/signing-service.ts'

/** DESIGN §3, R2: the state that a release relies on was read at most 2 s ago, monotonic. */

async function signing() {
  const { vault, ...setting } = house()
  const service = await signingService(setting)
  const { clock } = service
  const sign = () =>
    signFor(
      service.deps,
      commandFor('reports', { kind: 'claims', claims: { sub: '42' } }),
      patience,
    )
  /** How long the vault takes, beginning when the intent was read. */
  const vaultTakes = (ms: number) =>
    vault.answer(async (signature) => {
      await settle()
      clock.advance(ms)
      return signature
    })
  return { ...service, vault, sign, vaultTakes }
}

test('the window is 2 s', () => {
  expect(releaseWindowMs).toBe(2_000)
})

describe('a signature within the window', () => {
  test.each([0, 1_999, 2_000])('after %i ms is released without another look', async (ms) => {
    const { sign, audit, vaultTakes } = await signing()
    vaultTakes(ms)
    await expect(sign()).resolves.toMatchObject({ version: 1 })
    expect(audit.events).toEqual(['intent', 'outcome released'])
  })

  test('is counted from before the batch began, not from when its answer came', async () => {
    const { sign, audit, clock } = await signing()
    audit.answerIntents(() => {
      const beganAtMs = clock.monotonicMs()
      clock.advance(2_001) // a slow disk
      return beganAtMs
    })
    await sign()
    expect(audit.events).toEqual(['intent', 'check', 'outcome released'])
  })
})

describe('a signature that comes later', () => {
  test('is released after another look at the state', async () => {
    const { sign, audit, vaultTakes } = await signing()
    vaultTakes(2_001)
    await expect(sign()).resolves.toMatchObject({ version: 1 })
    expect(audit.events).toEqual(['intent', 'check', 'outcome released'])
  })

  test('is looked at with its own intent', async () => {
    const { sign, audit, vaultTakes, clock } = await signing()
    vaultTakes(2_001)
    const checked: unknown[] = []
    audit.answerChecks((intent) => {
      checked.push(intent)
      return clock.monotonicMs()
    })
    await sign()
    expect(checked).toEqual(audit.intents)
  })

  test('is discarded when that look is late again', async () => {
    const { sign, audit, vaultTakes, clock } = await signing()
    vaultTakes(2_001)
    audit.answerChecks(() => {
      const beganAtMs = clock.monotonicMs()
      clock.advance(2_001)
      return beganAtMs
    })
    await expect(sign()).rejects.toMatchObject({
      code: 'overloaded',
      details: { retryAfterMs: 1_000 },
    })
    await settle()
    expect(audit.events).toEqual(['intent', 'check', 'outcome overloaded'])
  })

  test.each(['version_revoked', 'suspended', 'audit_unavailable'] as const)(
    'is refused when the state says %s meanwhile',
    async (code) => {
      const { sign, audit, vaultTakes } = await signing()
      vaultTakes(2_001)
      audit.answerChecks(refusing(code))
      audit.answerIntents(onceThen(refusing(code)))
      await expect(sign()).rejects.toMatchObject({ code })
      await settle()
      expect(audit.events.slice(0, 3)).toEqual(['intent', 'check', `outcome ${code}`])
      expect(audit.events).not.toContain('outcome released')
    },
  )

  test('goes by the monotonic clock: a wall clock that steps back hides nothing', async () => {
    const { deps, audit, vault, clock } = await signing()
    const stepping = {
      now: () => clock.now() - clock.monotonicMs() * 2,
      monotonicMs: () => clock.monotonicMs(),
    }
    vault.answer(async (signature) => {
      await settle()
      clock.advance(2_001)
      return signature
    })
    const command = commandFor('reports', { kind: 'claims', claims: { sub: '42' } })
    await signFor({ ...deps, clock: stepping }, command, patience)
    expect(audit.events).toEqual(['intent', 'check', 'outcome released'])
  })
})

/** The first intent is permitted; any later one gets this verdict. */
function onceThen(later: Verdict): Verdict {
  let isFirst = true
  return (intent, signal) => {
    if (!isFirst) return later(intent, signal)
    isFirst = false
    return 0
  }
}
