import { expect, test, vi } from 'vitest'
import { findSettled } from '../../src/rotation/find-settled.ts'
import type { Sought } from '../../src/signing/signer.ts'
import { unhurried } from '../support/key-maker.ts'

/** A vault that shows what was made at its nth look. */
function listingAt(look: number, settleMs: number) {
  const looks: string[] = []
  const find = async ({ name }: Sought) => {
    looks.push(name)
    return looks.length >= look ? ['a', 'b'] : []
  }
  return { vault: { find, settleMs }, looks }
}

const { signal } = new AbortController()
const sought = { intentId: '01A', name: 'bot@3' }

test('what is listed is found at the first look, and nobody waits', async () => {
  const { vault, looks } = listingAt(1, 60_000)
  expect(await findSettled(vault, sought, signal, unhurried)).toEqual(['a', 'b'])
  expect(looks).toEqual(['bot@3'])
})

test('what is not listed yet is looked for once more, after the vault’s own time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { vault, looks } = listingAt(2, 5_000)
  const found = findSettled(vault, sought, signal, unhurried)
  await vi.advanceTimersByTimeAsync(4_999)
  expect(looks).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(1)
  vi.useRealTimers()
  expect(await found).toEqual(['a', 'b'])
})

test('and no third time: then it may be made, once', async () => {
  const { vault, looks } = listingAt(3, 1)
  expect(await findSettled(vault, sought, signal, unhurried)).toEqual([])
  expect(looks).toHaveLength(2)
})

test('a vault that lists everything at once is asked once', async () => {
  const { vault, looks } = listingAt(2, 0)
  expect(await findSettled(vault, sought, signal, unhurried)).toEqual([])
  expect(looks).toHaveLength(1)
})

test('waiting ends with the signal’s reason', async () => {
  const { vault } = listingAt(2, 60_000)
  const reason = new Error('the job is stopping')
  await expect(findSettled(vault, sought, AbortSignal.abort(reason), unhurried)).rejects.toBe(
    reason,
  )
})
