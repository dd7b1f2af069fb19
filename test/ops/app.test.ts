import { describe, expect, test } from 'vitest'
import { type NotReady, opsApp } from '../../src/ops/app.ts'
import { metrics } from '../../src/ops/metrics.ts'

/** DESIGN §10. Each is cured by a restart or another replica; a vault that is down is not among them. */
const reasons = [
  'starting',
  'draining',
  'audit writer dead',
  'no versions: run chancery rotate',
] as const
reasons satisfies readonly NotReady[]

function ops(reason: NotReady | undefined) {
  const measured = metrics({
    activeKeys: () => 3,
    usableKeys: () => 0,
    isReady: () => reason === undefined,
    conditions: () => [],
    clocks: () => [],
  })
  return opsApp(() => reason, measured)
}

describe('/readyz', () => {
  test.each(reasons)('while %s: 503, and the reason', async (reason) => {
    const response = await ops(reason).request('/readyz')
    expect([response.status, await response.text()]).toEqual([503, `${reason}\n`])
  })

  test('ready: 200', async () => {
    const response = await ops(undefined).request('/readyz')
    expect([response.status, await response.text()]).toEqual([200, 'ok\n'])
  })

  test('looks anew each time', async () => {
    const answers: (NotReady | undefined)[] = ['starting', undefined, 'draining']
    const app = opsApp(
      () => answers.shift(),
      metrics({
        activeKeys: () => 0,
        usableKeys: () => 0,
        isReady: () => true,
        conditions: () => [],
        clocks: () => [],
      }),
    )
    const statuses = [
      await app.request('/readyz'),
      await app.request('/readyz'),
      await app.request('/readyz'),
    ]
    expect(statuses.map(({ status }) => status)).toEqual([503, 200, 503])
  })
})

describe('/livez', () => {
  test.each([undefined, ...reasons])('is 200 whatever readiness says: %s', async (reason) => {
    const response = await ops(reason).request('/livez')
    expect([response.status, await response.text()]).toEqual([200, 'ok\n'])
  })
})

describe('/metrics', () => {
  test('is the text format that Prometheus reads', async () => {
    const response = await ops(undefined).request('/metrics')
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(await response.text()).toContain('\nchancery_active_keys 3\n')
  })

  test.each([...reasons, undefined])('tells readiness as /readyz does: %s', async (reason) => {
    const text = await (await ops(reason).request('/metrics')).text()
    expect(text).toContain(`\nchancery_ready ${reason === undefined ? 1 : 0}\n`)
  })
})

describe('there is nothing else', () => {
  test.each([
    '/',
    '/healthz',
    '/console',
    '/openapi.json',
    '/v1/keys/blog/sign',
    '/metrics/',
    '/debug/pprof',
  ])('%s is 404', async (path) => {
    expect((await ops(undefined).request(path)).status).toBe(404)
  })

  test.each(['/livez', '/readyz', '/metrics'])('%s only answers GET', async (path) => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const { status } = await ops(undefined).request(path, { method })
      expect([method, status]).toEqual([method, 404])
    }
  })
})
