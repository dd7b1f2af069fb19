import { expect, onTestFinished, test } from 'vitest'
import { openSignListener } from '../../src/compose/sign-listener.ts'
import { logger } from '../../src/lib/log.ts'
import { metrics } from '../../src/ops/metrics.ts'
import { house } from '../support/house.ts'
import { exchange, requestText } from '../support/raw-socket.ts'
import { signListener } from '../support/sign-listener.ts'

const address = { host: '127.0.0.1', port: 0 }

test.each([
  ['what Node’s parser refuses', 'nothing\r\n\r\n', 'malformed_request', 400],
  [
    'what has two readings',
    requestText('GET / HTTP/1.1', ['Host: a', 'Host: b']),
    'malformed_request',
    400,
  ],
  ['CONNECT', requestText('CONNECT a:1 HTTP/1.1', ['Host: a']), 'malformed_request', 400],
  [
    'an expectation',
    requestText('GET / HTTP/1.1', ['Host: a', 'Expect: a']),
    'malformed_request',
    400,
  ],
  [
    'headers too large',
    requestText('GET / HTTP/1.1', [`A: ${'a'.repeat(9_000)}`]),
    'request_too_large',
    413,
  ],
])('%s is logged and counted as any other request is', async (_, bytes, code, status) => {
  const lines: string[] = []
  const log = logger({ write: (line) => lines.push(line) })
  const measured = metrics({
    activeKeys: () => 1,
    usableKeys: () => 1,
    isReady: () => true,
    conditions: () => [],
    clocks: () => [],
  })
  const { app } = await signListener(house())
  const deps = { requestId: () => 'an-id', measured, log }
  const server = await openSignListener(app, { address, tls: undefined }, deps)
  onTestFinished(() => server.close(0))
  expect((await exchange(server.url, bytes)).statuses).toEqual([status])
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
    {
      level: 'info',
      at: expect.any(String),
      event: 'request',
      request: 'an-id',
      route: 'none',
      code,
      status,
    },
  ])
  const counted = `chancery_requests_total{route="none",key="-",code="${code}"} 1`
  expect(await measured.registry.metrics()).toContain(counted)
})
