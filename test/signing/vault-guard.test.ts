import { describe, expect, test } from 'vitest'
import { type ErrorCode, ServiceError } from '../../src/errors.ts'
import { openMs } from '../../src/lib/breaker.ts'
import { deadline } from '../../src/lib/deadline.ts'
import { waitingMax } from '../../src/signing/vault-guard.ts'
import { answeringAfter, codeOf, guarded } from '../support/guarded.ts'

const { signal } = new AbortController()
const deadlineMs = 2_000
const never = () => new Promise<never>(() => {})

/** A vault that answers with these, one after the other, and then is well. */
function scripted(...codes: readonly ErrorCode[]) {
  const tries: AbortSignal[] = []
  const work = async (limited: AbortSignal) => {
    tries.push(limited)
    const code = codes[tries.length - 1]
    if (code) throw new ServiceError(code, 'The vault said so')
    return 'signature'
  }
  return { tries, work }
}

/** So many requests that got no answer: the breaker is open then. */
async function cutOff({ guard, time }: ReturnType<typeof guarded>): Promise<void> {
  const all = Array.from({ length: 5 }, () => codeOf(guard.request(never, deadlineMs, signal)))
  await time.pass(deadlineMs)
  expect(new Set(await Promise.all(all))).toEqual(new Set(['deadline_exceeded']))
  expect(guard.breakerState).toBe('open')
}

describe('a deadline', () => {
  test('ends what the vault does not answer, and its place is free', async () => {
    const { guard, time } = guarded({ concurrency: 1 })
    const asked = codeOf(guard.request(never, deadlineMs, signal))
    await time.pass(deadlineMs - 1)
    const next = codeOf(guard.request(async () => 'signature', deadlineMs, signal))
    expect(guard.waiting).toBe(1)
    await time.pass(1)
    expect([await asked, await next, time.monotonicMs()]).toEqual([
      'deadline_exceeded',
      'ok',
      deadlineMs,
    ])
  })

  test('is told to the vault’s client, which ends its call', async () => {
    const { guard, time } = guarded()
    const seen: unknown[] = []
    const work = (limited: AbortSignal) => {
      limited.addEventListener('abort', () => seen.push(limited.reason))
      return never()
    }
    const asked = codeOf(guard.request(work, deadlineMs, signal))
    await time.pass(deadlineMs)
    expect(await asked).toBe('deadline_exceeded')
    expect(seen).toEqual([expect.objectContaining({ code: 'deadline_exceeded' })])
  })

  test('counts from when the request has its place, not from when it waits', async () => {
    const { guard, time } = guarded({ concurrency: 1 })
    const slow = answeringAfter(1_500, 'signature')
    const both = [1, 2].map(() => codeOf(guard.request(slow, deadlineMs, signal)))
    await time.pass(3_000)
    expect(await Promise.all(both)).toEqual(['ok', 'ok'])
  })

  test('of the caller ends it earlier, waiting or not', async () => {
    const { guard, time } = guarded({ concurrency: 1 })
    using limit = deadline(300)
    const both = [1, 2].map(() => codeOf(guard.request(never, deadlineMs, limit.signal)))
    await time.pass(300)
    expect(await Promise.all(both)).toEqual(['deadline_exceeded', 'deadline_exceeded'])
    expect(await codeOf(guard.request(async () => 'signature', deadlineMs, signal))).toBe('ok')
  })

  test('holds both tries', async () => {
    const { guard, time } = guarded()
    const tries: number[] = []
    const work = async (limited: AbortSignal) => {
      tries.push(time.monotonicMs())
      await answeringAfter(1_500, undefined)(limited)
      throw new ServiceError('vault_unavailable', 'No answer')
    }
    const asked = codeOf(guard.request(work, deadlineMs, signal))
    await time.pass(deadlineMs)
    expect([await asked, tries.length]).toEqual(['deadline_exceeded', 2])
  })
})

describe('another try', () => {
  test.each(['vault_unavailable', 'vault_throttled'] as const)(
    'after %s: one, and then no more',
    async (code) => {
      const { guard, time } = guarded()
      const { tries, work } = scripted(code)
      const asked = codeOf(guard.request(work, deadlineMs, signal))
      await time.pass(100)
      expect([await asked, tries.length]).toEqual(['ok', 2])
      const hopeless = scripted(code, code, code)
      const failed = codeOf(guard.request(hopeless.work, deadlineMs, signal))
      await time.pass(10_000)
      expect([await failed, hopeless.tries.length]).toEqual([code, 2])
    },
  )

  test.each([
    'vault_denied',
    'vault_key_unusable',
    'signature_invalid',
    'message_too_large',
    'malformed_request',
    'deadline_exceeded',
    'internal_error',
  ] as const)('after %s: none', async (code) => {
    const { guard, time } = guarded()
    const { tries, work } = scripted(code)
    const asked = codeOf(guard.request(work, deadlineMs, signal))
    await time.pass(10_000)
    expect([await asked, tries.length]).toEqual([code, 1])
  })

  test('after the caller has gone: none', async () => {
    const { guard, time } = guarded()
    const { tries, work } = scripted('vault_unavailable')
    const caller = new AbortController()
    const asked = codeOf(guard.request(work, deadlineMs, caller.signal))
    await time.pass(0)
    caller.abort(new ServiceError('deadline_exceeded', 'gone'))
    await time.pass(10_000)
    expect([await asked, tries.length]).toEqual(['deadline_exceeded', 1])
  })

  test('takes the quota of one', async () => {
    const { guard, time, observer } = guarded({ quotaPerSecond: 2 })
    const { tries, work } = scripted('vault_unavailable')
    const first = codeOf(guard.request(work, deadlineMs, signal))
    await time.pass(100)
    expect(await first).toBe('ok')
    expect(await codeOf(guard.request(work, deadlineMs, signal))).toBe('vault_throttled')
    expect([tries.length, observer.refused]).toEqual([2, ['aws quota']])
  })
})

describe('the breaker', () => {
  test('is opened by a vault that does not answer; then nothing is sent', async () => {
    const made = guarded()
    await cutOff(made)
    const { tries, work } = scripted()
    await expect(made.guard.request(work, deadlineMs, signal)).rejects.toMatchObject({
      code: 'vault_unavailable',
      message: 'The vault cannot be reached',
      details: { retryAfterMs: openMs },
    })
    expect([tries.length, made.observer.refused]).toEqual([0, ['aws breaker']])
  })

  test.each([
    'vault_denied',
    'vault_key_unusable',
    'vault_throttled',
    'signature_invalid',
  ] as const)('is not opened by a vault that answers %s', async (code) => {
    const { guard, time } = guarded()
    for (let i = 0; i < 50; i += 1) {
      const asked = codeOf(guard.request(scripted(code, code).work, deadlineMs, signal))
      await time.pass(100)
      expect(await asked).toBe(code)
    }
    expect(guard.breakerState).toBe('closed')
  })

  test('is not opened by callers that do not wait for the answer', async () => {
    const { guard, time } = guarded()
    for (let i = 0; i < 50; i += 1) {
      using limit = deadline(1)
      const asked = codeOf(guard.request(never, deadlineMs, limit.signal))
      await time.pass(1)
      expect(await asked).toBe('deadline_exceeded')
    }
    expect(guard.breakerState).toBe('closed')
  })

  test('lets one request through after its time, and all when that is answered', async () => {
    const made = guarded()
    const { guard, time } = made
    await cutOff(made)
    await time.pass(openMs)
    const trial = codeOf(guard.request(answeringAfter(500, 'signature'), deadlineMs, signal))
    const { tries, work } = scripted()
    expect(await codeOf(guard.request(work, deadlineMs, signal))).toBe('vault_unavailable')
    await time.pass(500)
    expect([await trial, guard.breakerState]).toEqual(['ok', 'closed'])
    expect(await codeOf(guard.request(work, deadlineMs, signal))).toBe('ok')
    expect(tries).toHaveLength(1)
  })

  test('stays open when the one request that is let through gets no answer', async () => {
    const made = guarded()
    const { guard, time, observer } = made
    await cutOff(made)
    await time.pass(openMs)
    const sent = observer.answered.length
    const trial = codeOf(guard.request(never, deadlineMs, signal))
    await time.pass(deadlineMs)
    expect([await trial, guard.breakerState]).toEqual(['deadline_exceeded', 'open'])
    expect(observer.answered.length).toBe(sent + 1)
  })

  test('refuses at their turn those who were waiting when it opened', async () => {
    const { guard, time, observer } = guarded({ concurrency: 5 })
    const all = Array.from({ length: 50 }, () => codeOf(guard.request(never, deadlineMs, signal)))
    await time.pass(2 * deadlineMs)
    const codes = Object.groupBy(await Promise.all(all), (code) => code)
    // Places that were free before the fifth failure opened it were taken once more.
    const sent = observer.answered.length
    expect(sent).toBeLessThanOrEqual(10)
    expect(codes['deadline_exceeded']).toHaveLength(sent)
    expect(codes['vault_unavailable']).toHaveLength(50 - sent)
  })
})

describe('places', () => {
  test('no more requests are sent at once than the vault has places', async () => {
    const { guard, time } = guarded({ concurrency: 3 })
    let [now, most] = [0, 0]
    const work = async (limited: AbortSignal) => {
      most = Math.max(most, (now += 1))
      await answeringAfter(10, undefined)(limited)
      now -= 1
    }
    const all = Array.from({ length: 30 }, () => codeOf(guard.request(work, deadlineMs, signal)))
    await time.pass(100)
    expect(new Set(await Promise.all(all))).toEqual(new Set(['ok']))
    expect(most).toBe(3)
  })

  test('what is beyond the queue is refused at once, as overloaded', async () => {
    const { guard, observer } = guarded({ concurrency: 2 })
    for (let i = 0; i < 2 + waitingMax; i += 1) void guard.request(never, deadlineMs, signal)
    await expect(guard.request(never, deadlineMs, signal)).rejects.toMatchObject({
      code: 'overloaded',
      details: { retryAfterMs: 1_000 },
    })
    expect([guard.waiting, observer.refused]).toEqual([waitingMax, ['aws queue']])
  })
})

test('the quota refuses what is beyond it with the time to come again, and sends nothing', async () => {
  const { guard, time, observer } = guarded({ quotaPerSecond: 4 })
  const { tries, work } = scripted()
  const burst = Array.from({ length: 5 }, () => codeOf(guard.request(work, deadlineMs, signal)))
  expect((await Promise.all(burst)).toSorted()).toEqual(['ok', 'ok', 'ok', 'ok', 'vault_throttled'])
  await expect(guard.request(work, deadlineMs, signal)).rejects.toMatchObject({
    code: 'vault_throttled',
    details: { retryAfterMs: 250 },
  })
  expect([tries.length, observer.refused.length]).toEqual([4, 2])
  await time.pass(250)
  expect(await codeOf(guard.request(work, deadlineMs, signal))).toBe('ok')
})

test('each try is told with its code, whether or not the request then succeeds', async () => {
  const { guard, time, observer } = guarded()
  const asked = guard.request(scripted('vault_throttled').work, deadlineMs, signal)
  await time.pass(100)
  await asked
  const late = codeOf(guard.request(never, deadlineMs, signal))
  await time.pass(deadlineMs)
  await late
  expect(observer.answered).toEqual(['aws vault_throttled', 'aws ok', 'aws deadline_exceeded'])
})

test('a vault that could not be reached says when to come again', async () => {
  const { guard, time } = guarded()
  const cause = new Error('ECONNRESET')
  const work = async () => {
    throw new ServiceError('vault_unavailable', 'The vault cannot be reached', { cause })
  }
  const asked = guard.request(work, deadlineMs, signal)
  asked.catch(() => {})
  await time.pass(100)
  await expect(asked).rejects.toMatchObject({ details: { retryAfterMs: 1_000 }, cause })
})
