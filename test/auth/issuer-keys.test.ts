import { describe, expect, test } from 'vitest'
import { gone, heldIssuer } from '../support/issuer-documents.ts'
import { memoryKey } from '../support/memory-key.ts'
import { isPending, settle } from '../support/pending.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const one = memoryKey('ES256')
const two = memoryKey('ES256', 'other')
const patience = new AbortController().signal

const unavailable = { code: 'issuer_unavailable', details: { retryAfterMs: 5_000 } }

function held() {
  const { issuer, clock, keys } = heldIssuer({ one })
  const find = (kid: string, signal = patience) => keys.find({ alg: 'ES256', kid }, signal)
  return { issuer, clock, find }
}

/** What came after `ms`, an answer from the shelf, and what it asked for in the background. */
async function after(ms: number, { clock, find, issuer }: ReturnType<typeof held>) {
  clock.advance(ms)
  const key = await find('one')
  await settle()
  return { isFound: key !== undefined, readings: issuer.readings }
}

describe('keys that are held', () => {
  test('are read when a token first needs them, and not before', async () => {
    const { issuer, find } = held()
    expect(issuer.readings).toBe(0)
    expect(await find('one')).toMatchObject({ type: 'public' })
    expect(issuer.readings).toBe(1)
  })

  test('are fresh for ten minutes, then read again behind the back of who is served', async () => {
    const all = held()
    await all.find('one')
    expect(await after(10 * minute, all)).toEqual({ isFound: true, readings: 1 })
    let wake = () => {}
    all.issuer.slowness = new Promise((resolve) => (wake = resolve))
    all.clock.advance(1)
    expect(await all.find('one')).toBeDefined() // although the issuer does not answer
    expect(await all.find('one')).toBeDefined()
    expect(all.issuer.readings).toBe(2)
    wake()
    await settle()
    expect(await after(10 * minute, all)).toEqual({ isFound: true, readings: 2 })
  })

  test('are gone from the shelf when the issuer has withdrawn them', async () => {
    const all = held()
    await all.find('one')
    all.issuer.keys = { two }
    expect(await after(10 * minute + 1, all)).toEqual({ isFound: true, readings: 2 })
    expect(await all.find('one')).toBeUndefined()
    expect(await all.find('two')).toBeDefined()
  })
})

describe('a hundred requests at once', () => {
  test('share the first reading', async () => {
    const { issuer, find } = held()
    const found = await Promise.all(Array.from({ length: 100 }, () => find('one')))
    expect(found.filter((key) => key === undefined)).toEqual([])
    expect(issuer.readings).toBe(1)
  })

  test('share the reading for a kid that is new', async () => {
    const { issuer, clock, find } = held()
    await find('one')
    clock.advance(30_000)
    issuer.keys = { one, two }
    const found = await Promise.all(Array.from({ length: 100 }, () => find('two')))
    expect(found.filter((key) => key === undefined)).toEqual([])
    expect(issuer.readings).toBe(2)
  })

  test('share one attempt at an issuer that is away, and one line of the log', async () => {
    const { issuer, find } = held()
    issuer.isAway = true
    const asked = Array.from({ length: 100 }, () => find('one'))
    const results = await Promise.allSettled(asked)
    expect(results.every(({ status }) => status === 'rejected')).toBe(true)
    await expect(asked[99]).rejects.toMatchObject(unavailable)
    expect([issuer.readings, issuer.failures]).toEqual([1, [gone]])
  })
})

describe('a kid that is not known', () => {
  test('has the keys read once in thirty seconds, whoever asks', async () => {
    const { issuer, clock, find } = held()
    await find('one')
    for (const kid of ['a', 'b', 'c']) expect(await find(kid)).toBeUndefined()
    expect(issuer.readings).toBe(2)
    clock.advance(29_999)
    expect(await find('a')).toBeUndefined()
    expect(issuer.readings).toBe(2)
    clock.advance(1)
    expect(await find('a')).toBeUndefined()
    expect(await find('b')).toBeUndefined()
    expect(issuer.readings).toBe(3)
  })

  test('does not wait for anything when the keys have just been read for another reason', async () => {
    const { issuer, find } = held()
    await find('one')
    issuer.keys = { one, two }
    expect(await find('two')).toBeDefined()
  })

  test('is found without a restart, once the issuer has made it', async () => {
    const { issuer, clock, find } = held()
    await find('one')
    issuer.keys = { two }
    clock.advance(30_000)
    expect(await find('two')).toBeDefined()
    expect(await find('one')).toBeUndefined()
  })

  test('is found when another request brings it in the middle of the look', async () => {
    const { issuer, clock, find } = held()
    await find('one')
    clock.advance(10 * minute + 1)
    issuer.keys = { two }
    // The reading in the background that this starts ends while it looks at the old keys.
    expect(await find('two')).toBeDefined()
    expect(issuer.readings).toBe(2)
  })
})

describe('while the issuer is away', () => {
  test('its keys stand in for it for 24 hours, and no longer', async () => {
    const { issuer, clock, find } = held()
    await find('one')
    issuer.isAway = true
    clock.advance(day)
    expect(await find('one')).toBeDefined()
    clock.advance(1)
    await expect(find('one')).rejects.toMatchObject(unavailable)
  })

  test('it is asked every five seconds at most', async () => {
    const { issuer, clock, find } = held()
    issuer.isAway = true
    for (let second = 0; second < 20; second += 1) {
      await expect(find('one')).rejects.toMatchObject(unavailable)
      clock.advance(1_000)
    }
    expect(issuer.readings).toBe(4)
  })

  test('a kid that is not known may be one that it has made since', async () => {
    const { issuer, clock, find } = held()
    await find('one')
    issuer.isAway = true
    clock.advance(30_000)
    await expect(find('two')).rejects.toMatchObject(unavailable)
    await expect(find('two')).rejects.toMatchObject(unavailable) // without asking again
    expect(issuer.readings).toBe(2)
    expect(await find('one')).toBeDefined()
  })

  test('and back, everything is as before within five seconds', async () => {
    const { issuer, clock, find } = held()
    issuer.isAway = true
    await expect(find('one')).rejects.toMatchObject(unavailable)
    issuer.isAway = false
    clock.advance(4_999)
    await expect(find('one')).rejects.toMatchObject(unavailable)
    clock.advance(1)
    expect(await find('one')).toBeDefined()
  })

  test('a service that has slept for a week trusts nothing that it knew', async () => {
    const { issuer, clock, find } = held()
    await find('one')
    clock.advance(7 * day)
    issuer.keys = { two }
    expect(await find('one')).toBeUndefined()
    expect(await find('two')).toBeDefined()
  })
})

describe('a caller that hangs up', () => {
  test('gets its own reason, and the others their keys', async () => {
    const { issuer, find } = held()
    let wake = () => {}
    issuer.slowness = new Promise((resolve) => (wake = resolve))
    const leaving = new AbortController()
    const [left, stays] = [find('one', leaving.signal), find('one')]
    expect(await isPending(left)).toBe(true)
    const reason = new Error('hung up')
    leaving.abort(reason)
    await expect(left).rejects.toBe(reason)
    expect(await isPending(stays)).toBe(true)
    wake()
    expect(await stays).toBeDefined()
    expect(await find('one')).toBeDefined()
    expect(issuer.readings).toBe(1)
  })
})
