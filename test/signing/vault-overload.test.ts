import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { shareToken, takeToken, type TokenBucket } from '../../src/lib/token-bucket.ts'
import { answeringAfter, codeOf, guarded } from '../support/guarded.ts'

const { signal } = new AbortController()
const quotaPerSecond = 100
const seconds = 5
const overload = 10

/** A vault with a quota of its own, which answers what is within it after 20 ms. */
function vaultWithQuota(nowMs: () => number) {
  let bucket: TokenBucket | undefined
  const seen = { asked: 0 }
  const work = async (limited: AbortSignal) => {
    seen.asked += 1
    const answer = shareToken(bucket, quotaPerSecond, nowMs())
    bucket = answer.bucket
    await answeringAfter(20, undefined)(limited)
    if (answer.verdict === 'refuse') throw new ServiceError('vault_throttled', 'Slow down')
  }
  return { seen, work }
}

/** Ten times what the vault takes, evenly, for some seconds. */
async function overloaded(ours: number | undefined) {
  const { guard, time } = guarded({ quotaPerSecond: ours })
  const { seen, work } = vaultWithQuota(() => time.monotonicMs())
  const asked: Promise<string>[] = []
  for (let sent = 0; sent < overload * quotaPerSecond * seconds; sent += 1) {
    asked.push(codeOf(guard.request(work, 2_000, signal)))
    await time.pass(1)
  }
  await time.pass(2_000) // what waits is answered, too
  const codes = await Promise.all(asked)
  const good = codes.filter((code) => code === 'ok').length
  return { good, codes: new Set(codes), asked: seen.asked, sent: codes.length, time, guard }
}

describe('ten times as many requests as the vault’s quota allows', () => {
  const allowed = quotaPerSecond * seconds

  test('with our quota: at least 80 % of it are signed, and the vault is asked no more than it takes', async () => {
    const { good, codes, asked, guard } = await overloaded(quotaPerSecond)
    expect(good).toBeGreaterThanOrEqual(0.8 * allowed)
    expect(codes).toEqual(new Set(['ok', 'vault_throttled']))
    expect(asked).toBeLessThanOrEqual(allowed + quotaPerSecond + 1)
    expect(guard.breakerState).toBe('closed')
  })

  test('without: at least 80 % too, and the vault is asked twice for what it refuses, never more', async () => {
    const { good, codes, asked, sent } = await overloaded(undefined)
    expect(good).toBeGreaterThanOrEqual(0.8 * allowed)
    expect(
      [...codes].filter((code) => !['ok', 'vault_throttled', 'overloaded'].includes(code)),
    ).toEqual([])
    expect(asked).toBeGreaterThan(allowed)
    expect(asked).toBeLessThanOrEqual(2 * sent)
  })

  test('a bucket that refusals empty would sign next to nothing: the count shows it', () => {
    let bucket: TokenBucket | undefined
    let good = 0
    for (let ms = 0; ms < seconds * 1_000; ms += 1) {
      const answer = takeToken(bucket, quotaPerSecond, ms)
      bucket = answer.bucket
      good += Number(answer.verdict === 'allow')
    }
    expect(good).toBeLessThan(0.8 * allowed)
  })
})
