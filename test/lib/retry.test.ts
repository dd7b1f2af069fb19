import { expect, test } from 'vitest'
import { twice } from '../../src/lib/retry.ts'
import { fakeTime } from '../support/fake-time.ts'
import { isPending } from '../support/pending.ts'

const again = new Error('may be tried again')
const final = new Error('may not')
const onAgain = twice((error) => error === again)

/** Fails with these, one after the other, and then is done. */
function failing(...errors: readonly Error[]) {
  const tries: boolean[] = []
  const work = async (isAgain: boolean) => {
    tries.push(isAgain)
    const error = errors[tries.length - 1]
    if (error) throw error
    return 'done'
  }
  return { tries, work }
}

const { signal } = new AbortController()

test('what succeeds is done once', async () => {
  const { tries, work } = failing()
  await expect(onAgain(work, signal)).resolves.toBe('done')
  expect(tries).toEqual([false])
})

test('what fails so is tried once more, within a tenth of a second', async () => {
  const time = fakeTime()
  const { tries, work } = failing(again)
  const done = onAgain(work, signal)
  await time.pass(100)
  await expect(done).resolves.toBe('done')
  expect(tries).toEqual([false, true])
})

test('and never a third time', async () => {
  const time = fakeTime()
  const { tries, work } = failing(again, again, again)
  const done = onAgain(work, signal)
  done.catch(() => {})
  await time.pass(10_000)
  await expect(done).rejects.toBe(again)
  expect(tries).toHaveLength(2)
})

test('anything else is not tried again', async () => {
  const { tries, work } = failing(final)
  await expect(onAgain(work, signal)).rejects.toBe(final)
  expect(tries).toHaveLength(1)
})

test('after the signal nothing is tried, before the pause or in it', async () => {
  const time = fakeTime()
  const reason = new Error('too late')
  const controller = new AbortController()
  const { tries, work } = failing(again)
  const done = onAgain(work, controller.signal)
  done.catch(() => {})
  expect(await isPending(done)).toBe(true)
  controller.abort(reason)
  await time.pass(100)
  await expect(done).rejects.toBe(reason)
  expect(tries).toHaveLength(1)

  const aborted = failing()
  await expect(onAgain(aborted.work, AbortSignal.abort(reason))).rejects.toBe(reason)
  expect(aborted.tries).toEqual([])
})

test('pauses differ: those who failed together do not come back together', async () => {
  const time = fakeTime()
  const returned: number[] = []
  const all = Array.from({ length: 200 }, () => {
    const { work } = failing(again)
    return onAgain(work, signal).then(() => returned.push(time.monotonicMs()))
  })
  await time.pass(100)
  await Promise.all(all)
  expect(new Set(returned).size).toBeGreaterThan(20)
})
