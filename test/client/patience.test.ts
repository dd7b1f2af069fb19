import { describe, expect, test } from 'vitest'
import { clientIn } from '../../src/client/client.ts'
import { clientWorld, problemAnswer, signedAnswer } from '../support/client-world.ts'

const options = { url: 'https://chancery.example', credential: 'chn_a' }
const claims = { claims: {} }
const good = () => signedAnswer({ now: 1_800_000_000_000, lastsMs: 600_000 })

describe.each([
  [429, 'rate_limited'],
  [503, 'overloaded'],
])('%i', (status, code) => {
  test('is asked again after as long as it says', async () => {
    const world = clientWorld((_, times) =>
      times < 3 ? problemAnswer(status, code, { headers: { 'Retry-After': '2' } }) : good(),
    )
    await clientIn(world.around, options).sign('blog', claims)
    expect([world.asked.length, world.pauses]).toEqual([3, [2_000, 2_000]])
  })

  test('that names no time is asked again after ever longer pauses, and a few times only', async () => {
    const world = clientWorld(() => problemAnswer(status, code))
    const asked = clientIn(world.around, options).sign('blog', claims)
    await expect(asked).rejects.toMatchObject({ code, status, requestId: 'an-id' })
    expect([world.asked.length, world.pauses]).toEqual([5, [100, 200, 400, 800]])
  })

  test('that names a time beyond the deadline is answered at once', async () => {
    const headers = { 'Retry-After': '11' }
    const world = clientWorld(() => problemAnswer(status, code, { headers }))
    await expect(clientIn(world.around, options).sign('blog', claims)).rejects.toMatchObject({
      code,
    })
    expect([world.asked.length, world.pauses]).toEqual([1, []])
  })
})

test('a date counts from now, and no pause is shorter for it than nothing', async () => {
  const dates = [new Date(1_800_000_003_000).toUTCString(), new Date(0).toUTCString()]
  const world = clientWorld((_, times) => {
    const date = dates[times - 1]
    return date ? problemAnswer(503, 'draining', { headers: { 'Retry-After': date } }) : good()
  })
  await clientIn(world.around, options).sign('blog', claims)
  expect(world.pauses).toEqual([3_000, 0])
})

test('those who were told the same second come back spread out', async () => {
  const world = clientWorld((_, times) =>
    times === 1 ? problemAnswer(503, 'overloaded', { headers: { 'Retry-After': '1' } }) : good(),
  )
  await clientIn({ ...world.around, chance: () => 0.5 }, options).sign('blog', claims)
  expect(world.pauses).toEqual([1_125])
})

test.each([
  [400, 'malformed_request'],
  [401, 'unauthenticated'],
  [403, 'claims_refused'],
  [404, 'key_not_found'],
  [409, 'version_not_active'],
  [500, 'internal_error'],
  [502, 'signature_invalid'],
  [504, 'deadline_exceeded'],
])('%i %s is asked once', async (status, code) => {
  const world = clientWorld(() => problemAnswer(status, code))
  const asked = clientIn(world.around, options).sign('blog', claims)
  await expect(asked).rejects.toMatchObject({ name: 'ChanceryError', code, status })
  expect(world.asked).toHaveLength(1)
})

test('each try is told how much time is left, and at most what the service has', async () => {
  const world = clientWorld((_, times) =>
    times === 1 ? problemAnswer(429, 'rate_limited', { headers: { 'Retry-After': '6' } }) : good(),
  )
  await clientIn(world.around, options).sign('blog', claims)
  const told = world.asked.map(({ init }) => new Headers(init.headers).get('x-request-timeout'))
  expect(told).toEqual(['5000', '4000'])
})

test('a credential that is a function is asked for each try', async () => {
  let calls = 0
  const credential = async () => `token-${(calls += 1)}`
  const world = clientWorld((_, times) => (times === 1 ? problemAnswer(503, 'draining') : good()))
  await clientIn(world.around, { ...options, credential }).sign('blog', claims)
  const sent = world.asked.map(({ init }) => new Headers(init.headers).get('authorization'))
  expect(sent).toEqual(['Bearer token-1', 'Bearer token-2'])
})

test('whoever aborts gets their own reason, also between two tries, and nothing is asked after it', async () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  const world = clientWorld(() => problemAnswer(503, 'draining'))
  const around = {
    ...world.around,
    async pause(_: number, signal: AbortSignal) {
      controller.abort(reason)
      signal.throwIfAborted()
    },
  }
  const asked = clientIn(around, options).sign('blog', claims, { signal: controller.signal })
  await expect(asked).rejects.toBe(reason)
  expect(world.asked).toHaveLength(1)
})

test('a credential that never comes is no reason to wait longer than the timeout', async () => {
  const world = clientWorld(good)
  const credential = () => new Promise<string>(() => {})
  const asked = clientIn(world.around, { ...options, credential, timeoutMs: 5 }).sign(
    'blog',
    claims,
  )
  await expect(asked).rejects.toMatchObject({ code: 'timed_out', status: undefined })
  expect(world.asked).toEqual([])
})
