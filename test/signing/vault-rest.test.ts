import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { openMs } from '../../src/lib/breaker.ts'
import { deadline } from '../../src/lib/deadline.ts'
import { lingeringMax } from '../../src/lib/lingering.ts'
import { readRetryAfter } from '../../src/lib/retry-after.ts'
import { answeringAfter, codeOf, guarded } from '../support/guarded.ts'

const { signal } = new AbortController()
const deadlineMs = 2_000
const never = () => new Promise<never>(() => {})

const rsa = { pool: 'rsa', units: 1, perSecond: 4 } as const
const ecc = { pool: 'ecc', units: 1, perSecond: 4 } as const

/** A vault that throttles, and says when to come again. */
function throttling(retryAfterMs: number | undefined) {
  const state = { asked: 0, isOver: false }
  const work = async () => {
    state.asked += 1
    if (state.isOver) return 'signature'
    const details = retryAfterMs === undefined ? {} : { retryAfterMs }
    throw new ServiceError('vault_throttled', 'The vault is throttling', { details })
  }
  return { state, work }
}

/** Seeded: without `heed` the first asks twice at once, and again with each request. */
describe('a vault that says when to come again', () => {
  test('is not asked before, by nobody and for no second try', async () => {
    const { guard, time, observer } = guarded()
    const { state, work } = throttling(3_000)
    const ask = () => guard.request(work, deadlineMs, signal)
    await expect(ask()).rejects.toMatchObject({
      code: 'vault_throttled',
      details: { retryAfterMs: 3_000 },
    })
    await time.pass(1_000)
    await expect(ask()).rejects.toMatchObject({ details: { retryAfterMs: 2_000 } })
    expect([state.asked, observer.refused]).toEqual([1, ['aws rest']])
    state.isOver = true
    await time.pass(2_000)
    expect(await codeOf(ask())).toBe('ok')
  })

  test('is asked for what it counts apart', async () => {
    const { guard } = guarded()
    const { state, work } = throttling(3_000)
    expect(await codeOf(guard.request(work, deadlineMs, signal, rsa))).toBe('vault_throttled')
    state.isOver = true
    expect(await codeOf(guard.request(work, deadlineMs, signal, rsa))).toBe('vault_throttled')
    expect(await codeOf(guard.request(work, deadlineMs, signal, ecc))).toBe('ok')
    expect(await codeOf(guard.look(work, deadlineMs, signal))).toBe('ok')
  })

  test('one that does not say it is asked once more, and then callers are told a second', async () => {
    const { guard, time } = guarded()
    const { state, work } = throttling(undefined)
    const asked = guard.request(work, deadlineMs, signal)
    asked.catch(() => {})
    await time.pass(100)
    await expect(asked).rejects.toMatchObject({ details: { retryAfterMs: 1_000 } })
    expect(state.asked).toBe(2)
  })

  test.each([
    ['7', 7_000],
    ['300', 300_000],
    ['301', undefined],
    ['3600', undefined],
    ['0', undefined],
    ['-1', undefined],
    ['1e3', undefined],
    ['1.5', undefined],
    ['Fri, 07 Nov 2026 23:59:59 GMT', undefined],
    [undefined, undefined],
  ])('Retry-After: %s is %s ms', (header, ms) => expect(readRetryAfter(header)).toBe(ms))
})

describe('quotas in the vault’s own units', () => {
  const ask = (guard: ReturnType<typeof guarded>['guard'], share: typeof rsa | typeof ecc) =>
    codeOf(guard.request(async () => 'signature', deadlineMs, signal, share))

  test('what the vault counts apart is counted apart', async () => {
    const { guard } = guarded()
    for (let at = 0; at < 4; at += 1) expect(await ask(guard, rsa)).toBe('ok')
    expect(await ask(guard, rsa)).toBe('vault_throttled')
    expect(await ask(guard, ecc)).toBe('ok')
  })

  test('a heavier key takes more, and one that takes more than a second’s worth is signed with, too', async () => {
    const { guard, time } = guarded()
    const heavy = { pool: 'vault', units: 16, perSecond: 4 }
    const request = () => codeOf(guard.request(async () => 'signature', deadlineMs, signal, heavy))
    expect([await request(), await request()]).toEqual(['ok', 'vault_throttled'])
    await time.pass(3_999)
    expect(await request()).toBe('vault_throttled')
    await time.pass(1)
    expect(await request()).toBe('ok')
  })

  test('the configuration’s takes the place of the vault’s', async () => {
    const { guard } = guarded({ quotaPerSecond: 1 })
    expect([await ask(guard, rsa), await ask(guard, rsa)]).toEqual(['ok', 'vault_throttled'])
    expect(await ask(guard, ecc)).toBe('ok')
  })
})

/** One caller after the other, each of which waits so long. */
async function impatient(
  { guard, time }: ReturnType<typeof guarded>,
  work: (signal: AbortSignal) => Promise<string>,
  patienceMs: number,
  forMs: number,
): Promise<ReadonlySet<string>> {
  const codes = new Set<string>()
  for (let passed = 0; passed < forMs; passed += patienceMs) {
    using limit = deadline(patienceMs)
    const asked = codeOf(guard.request(work, deadlineMs, limit.signal))
    await time.pass(patienceMs)
    codes.add(await asked)
  }
  return codes
}

/** Seeded: with `lingeringMax` of 0, as it was, the first finds the breaker closed after any time. */
describe('callers that give up soon', () => {
  test.each([50, 300, 1_500])('of %i ms: a vault that hangs is noticed', async (patienceMs) => {
    const made = guarded()
    await impatient(made, never, patienceMs, 10_000)
    expect(made.guard.breakerState).not.toBe('closed')
    expect(made.observer.refused).toContain('aws breaker')
  })

  test('of 1 ms do not cut off a vault that answers, for whoever waits', async () => {
    const made = guarded()
    const codes = await impatient(made, answeringAfter(20, 'signature'), 1, 5_000)
    expect(codes).toEqual(new Set(['deadline_exceeded']))
    expect(made.guard.breakerState).toBe('closed')
    const patient = codeOf(made.guard.request(answeringAfter(20, 'ok'), deadlineMs, signal))
    await made.time.pass(20)
    expect(await patient).toBe('ok')
  })

  test('leave no more requests behind than a few, none of which takes a place', async () => {
    const { guard, time } = guarded({ concurrency: 64 })
    const caller = new AbortController()
    const left: AbortSignal[] = []
    const work = (limited: AbortSignal) => {
      left.push(limited)
      return never()
    }
    const asked = Array.from({ length: 64 }, () =>
      codeOf(guard.request(work, deadlineMs, caller.signal)),
    )
    await time.pass(1)
    caller.abort(new ServiceError('deadline_exceeded', 'gone'))
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['deadline_exceeded']))
    const lingering = left.filter(({ aborted }) => !aborted)
    expect([lingering.length, lingeringMax(64)]).toEqual([4, 4])
    const next = Array.from({ length: 64 }, () =>
      codeOf(guard.request(async () => 'ok', deadlineMs, signal)),
    )
    expect([guard.waiting, new Set(await Promise.all(next))]).toEqual([0, new Set(['ok'])])
    await time.pass(deadlineMs)
    expect(left.filter(({ aborted }) => !aborted)).toEqual([])
  })

  test('have no second try made for them', async () => {
    const { guard, time } = guarded()
    let tries = 0
    const work = async (limited: AbortSignal) => {
      tries += 1
      await answeringAfter(100, undefined)(limited)
      throw new ServiceError('vault_unavailable', 'No answer')
    }
    using limit = deadline(50)
    const asked = codeOf(guard.request(work, deadlineMs, limit.signal))
    await time.pass(deadlineMs)
    expect([await asked, tries]).toEqual(['deadline_exceeded', 1])
  })

  test('after the breaker opened: what they leave behind decides', async () => {
    const made = guarded()
    await impatient(made, never, 300, 6_000)
    expect(made.guard.breakerState).toBe('open')
    await made.time.pass(openMs)
    await impatient(made, answeringAfter(500, 'signature'), 300, 900)
    expect(made.guard.breakerState).toBe('closed')
  })
})
