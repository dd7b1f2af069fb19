import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { goodClaims, house } from '../support/house.ts'
import { type Ask, signListener, signPath } from '../support/sign-listener.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A request whose vault never answers, and whether it has been answered yet. */
async function waiting(headers: Ask['headers'] = {}) {
  const { vault, ...setting } = house()
  const listener = await signListener(setting)
  vault.answer(() => new Promise(() => {}))
  const state = { isAnswered: false }
  const asked = listener.ask(signPath('reports'), { body: goodClaims, headers })
  const answer = asked.finally(() => (state.isAnswered = true))
  return { ...listener, answer, state }
}

describe('a request whose vault does not answer', () => {
  test.each<[string, Ask['headers'], number]>([
    ['5 s', {}, 5_000],
    ['the time that it says', { 'X-Request-Timeout': '250' }, 250],
    ['5 s, though it says more', { 'X-Request-Timeout': '60000' }, 5_000],
  ])('is answered after %s', async (_, headers, ms) => {
    const { answer, state, audit } = await waiting(headers)
    await vi.advanceTimersByTimeAsync(ms - 1)
    expect(state.isAnswered).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    const { status, body } = await answer
    expect([status, body['code']]).toEqual([504, 'deadline_exceeded'])
    expect(audit.events).toEqual(['intent', 'outcome deadline_exceeded'])
  })
})

test('an answered request leaves no timer behind', async () => {
  const { ask } = await signListener(house())
  expect((await ask(signPath('reports'), { body: goodClaims })).status).toBe(200)
  expect((await ask(signPath('reports'), { body: {} })).status).toBe(400)
  expect(vi.getTimerCount()).toBe(0)
})
