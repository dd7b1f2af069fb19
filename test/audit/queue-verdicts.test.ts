import { AuditQueue } from '../../src/audit/queue.ts'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Verdict } from '../../src/audit/log.ts'
import { failingCommit, queueOn, rememberingCommit } from '../support/audit-commits.ts'
import { denial, intent, outcome, stored } from '../support/audit-records.ts'
import { manualClock } from '../support/manual-clock.ts'

const { signal } = new AbortController()

describe('verdicts', () => {
  const byVersion: Record<number, Verdict> = {
    1: 'version_not_active',
    2: 'version_revoked',
    4: 'suspended',
  }

  test('one bad intent in the middle is answered with its reason, the others commit', async () => {
    const store = rememberingCommit(({ version }) => byVersion[version] ?? 'may_sign')
    const { queue } = queueOn(store.commit)
    const settled = await Promise.allSettled(
      [3, 1, 3, 2, 4, 3].map((version) =>
        queue.commitIntent(intent(`v${version}`, { version }), signal),
      ),
    )
    expect(
      settled.map((one) => (one.status === 'rejected' ? one.reason.code : 'may_sign')),
    ).toEqual([
      'may_sign',
      'version_not_active',
      'may_sign',
      'version_revoked',
      'suspended',
      'may_sign',
    ])
    expect(store.batches.length).toBe(1)
    expect(stored(store.bodies)).toEqual(['intent v3', 'intent v3', 'intent v3'])
  })

  test('a check is answered as an intent is, and leaves no record', async () => {
    const store = rememberingCommit(({ version }) => byVersion[version] ?? 'may_sign')
    const { queue } = queueOn(store.commit)
    await expect(queue.stillMaySign(intent('A'), signal)).resolves.toBe(0)
    await expect(queue.stillMaySign(intent('B', { version: 2 }), signal)).rejects.toMatchObject({
      code: 'version_revoked',
    })
    expect(store.bodies).toEqual([])
  })

  test('a verdict that is missing never permits', async () => {
    const { queue } = queueOn(async () => ({ intents: ['may_sign'], checks: [] }))
    const asked = [
      queue.commitIntent(intent('A'), signal),
      queue.commitIntent(intent('B'), signal),
      queue.stillMaySign(intent('C'), signal),
    ]
    await expect(Promise.allSettled(asked)).resolves.toEqual([
      { status: 'fulfilled', value: 0 },
      { status: 'rejected', reason: expect.objectContaining({ code: 'version_not_active' }) },
      { status: 'rejected', reason: expect.objectContaining({ code: 'version_not_active' }) },
    ])
  })

  test('the release window counts from before the transaction began', async () => {
    const clock = manualClock()
    const { queue } = queueOn(async ({ intents, checks }) => {
      clock.advance(700)
      return { intents: intents.map(() => 'may_sign'), checks: checks.map(() => 'may_sign') }
    }, clock)
    clock.advance(50)
    await expect(queue.commitIntent(intent('A'), signal)).resolves.toBe(50)
    await expect(queue.stillMaySign(intent('A'), signal)).resolves.toBe(750)
  })
})

describe('a store that cannot write', () => {
  const full = new Error('database or disk is full')

  test('is audit_unavailable to everyone who waits, and the reason is for the log', async () => {
    const store = rememberingCommit()
    const failing = failingCommit(store.commit, full)
    const { queue, failures } = queueOn(failing.commit)
    const asked = [queue.commitIntent(intent('A'), signal), queue.stillMaySign(intent('B'), signal)]
    const unavailable = expect.objectContaining({
      code: 'audit_unavailable',
      message: 'The audit record could not be written',
      cause: full,
      details: { retryAfterMs: 1_000 },
    })
    await expect(Promise.allSettled(asked)).resolves.toEqual(
      asked.map(() => ({ status: 'rejected', reason: unavailable })),
    )
    expect(failures).toEqual([full])
    expect(store.bodies).toEqual([])
  })

  test('loses no notes: they stand behind the intents of the next batch that it can write', async () => {
    const store = rememberingCommit()
    const failing = failingCommit(store.commit, full)
    const { queue } = queueOn(failing.commit)
    queue.noteOutcome(outcome('A'))
    queue.noteOutcome(outcome('B'))
    await expect(queue.commitIntent(intent('C'), signal)).rejects.toMatchObject({
      code: 'audit_unavailable',
    })
    failing.mend()
    await queue.commitIntent(intent('D'), signal)
    expect(stored(store.bodies)).toEqual(['intent D', 'outcome A', 'outcome B'])
  })

  test('is not asked again and again for notes alone', async () => {
    const failing = failingCommit(rememberingCommit().commit, full)
    const { queue } = queueOn(failing.commit)
    queue.noteOutcome(outcome('A'))
    for (let i = 0; i < 10; i += 1) await turn()
    expect(failing.attempts()).toBe(1)
    await queue.flush()
    expect(failing.attempts()).toBe(2)
  })

  test('heals by itself: the next intent after it is answered as ever', async () => {
    const failing = failingCommit(rememberingCommit().commit, full)
    const { queue } = queueOn(failing.commit)
    await expect(queue.commitIntent(intent('A'), signal)).rejects.toMatchObject({
      code: 'audit_unavailable',
    })
    failing.mend()
    await expect(queue.commitIntent(intent('B'), signal)).resolves.toBe(0)
  })
})

describe('denials', () => {
  test('are recorded without anyone waiting, and one by one up to ten a second', async () => {
    const store = rememberingCommit()
    const { queue } = queueOn(store.commit)
    for (let i = 0; i < 15; i += 1) queue.noteDenial(denial(`${i}`))
    await turn()
    expect(store.bodies.length).toBe(10)
  })

  test('above that rate are written when their second is over, whatever else comes', async () => {
    const store = rememberingCommit()
    const over = Promise.withResolvers<void>()
    const queue = new AuditQueue(
      store.commit,
      manualClock(),
      () => {},
      () => over.promise,
    )
    for (let i = 0; i < 15; i += 1) queue.noteDenial(denial(`${i}`))
    over.resolve()
    await turn()
    await queue.flush()
    expect(store.bodies.map((body) => JSON.parse(body).count).slice(-2)).toEqual([1, 5])
  })

  test('above that rate are one record, which the last flush writes', async () => {
    const store = rememberingCommit()
    const { queue } = queueOn(store.commit)
    for (let i = 0; i < 15; i += 1) queue.noteDenial(denial(`${i}`))
    await queue.flush()
    expect(store.bodies.length).toBe(11)
    expect(JSON.parse(store.bodies[10] ?? '')).toMatchObject({ request: '14', count: 5 })
  })
})
