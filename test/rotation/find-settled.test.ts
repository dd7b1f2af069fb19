import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findSettled } from '../../src/rotation/find-settled.ts'
import type { Sought } from '../../src/signing/signer.ts'
import { unhurried } from '../support/key-maker.ts'

/** A vault that lists what was made once it is told to. */
function listing(settleMs: number) {
  const looks: string[] = []
  let listed: readonly string[] = []
  const find = async ({ name }: Sought) => {
    looks.push(name)
    return listed
  }
  return { vault: { find, settleMs }, looks, list: () => (listed = ['a', 'b']) }
}

const { signal } = new AbortController()
const sought = { intentId: '01A', name: 'bot@3' }

describe('a vault that lists later what it has made', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  test('is not asked before its own time, and what it lists by then is found', async () => {
    const { vault, looks, list } = listing(5_000)
    const found = findSettled(vault, sought, signal, unhurried)
    await vi.advanceTimersByTimeAsync(4_999)
    expect(looks).toEqual([])
    list()
    await vi.advanceTimersByTimeAsync(1)
    expect(await found).toEqual(['a', 'b'])
    expect(looks).toEqual(['bot@3'])
  })

  test('is looked through once, though nothing is found: then it may be made, once', async () => {
    const { vault, looks } = listing(5_000)
    const found = findSettled(vault, sought, signal, unhurried)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await found).toEqual([])
    expect(looks).toHaveLength(1)
  })
})

test('a vault that lists everything at once is asked at once, and once', async () => {
  const { vault, looks } = listing(0)
  expect(await findSettled(vault, sought, signal, unhurried)).toEqual([])
  expect(looks).toHaveLength(1)
})

test('waiting ends with the signal’s reason, and no look', async () => {
  const { vault, looks } = listing(60_000)
  const reason = new Error('the job is stopping')
  await expect(findSettled(vault, sought, AbortSignal.abort(reason), unhurried)).rejects.toBe(
    reason,
  )
  expect(looks).toEqual([])
})
