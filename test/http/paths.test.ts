import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listen } from '../../src/http/listen.ts'
import type { Listener } from '../../src/listener/server.ts'
import { goodClaims, house } from '../support/house.ts'
import { exchange, requestText } from '../support/raw-socket.ts'
import { signListener, type SignListener } from '../support/sign-listener.ts'

const longest = `a${'-0'.repeat(31)}`
const tooLong = `${longest}z`

/** Targets that some server, proxy or router would take for a route of ours. */
const strangePaths = [
  '/',
  '//',
  '/v1',
  '/v1/keys',
  '/v1/keys/',
  '/v1/keys/reports',
  '/v1/keys/reports/',
  '/v1/keys/reports/sign/',
  '/v1/keys/reports/sign//',
  '//v1/keys/reports/sign',
  '/v1//keys/reports/sign',
  '/v1/keys//reports/sign',
  '/v1/keys/reports//sign',
  '/v1/keys//sign',
  '/./v1/keys/reports/sign',
  '/v1/./keys/reports/sign',
  '/x/../v1/keys/reports/sign',
  '/v1/keys/hidden/../reports/sign',
  '/v1/keys/reports/sign/..',
  '/v1/keys/reports/sign/.',
  '/v1/keys/..%2freports/sign',
  '/v1/keys/%2e%2e/keys/reports/sign',
  '/v1%2fkeys/reports/sign',
  '/v1/keys/reports%2fsign',
  '/v1/keys/reports%2Fsign',
  '/v1/keys/reports/%73ign',
  '/v1/keys/%72eports/sign',
  '/%761/keys/reports/sign',
  '/v1/keys/reports%00/sign',
  '/v1/keys/reports%20/sign',
  '/v1/keys/reports/sign%20',
  '/v1/keys/reports/sign%3f',
  '/v1/keys/reports/sign;x=1',
  '/v1/keys/reports;x/sign',
  '/v1/keys/reports/sign.json',
  '/V1/keys/reports/sign',
  '/v1/Keys/reports/sign',
  '/v1/keys/REPORTS/sign',
  '/v1/keys/Reports/sign',
  '/v1/keys/reports/SIGN',
  '/v1/keys/reports/Sign',
  '/v1/keys/0reports/sign',
  '/v1/keys/-reports/sign',
  '/v1/keys/re_ports/sign',
  '/v1/keys/re.ports/sign',
  '/v1/keys/reports@1/sign',
  '/v1/keys/*/sign',
  '/v1/keys/:key/sign',
  `/v1/keys/${tooLong}/sign`,
  '/v1/keys/reports/sign/fingerprint',
  '/v1/keys/reports/verify',
  '/v1/keys/reports/decrypt',
  '/v2/keys/reports/sign',
  '/v1/keys/reports/fingerprint/',
  '/v1/keys/reports/fingerprint/1',
  '/healthz/',
  '/HEALTHZ',
  '/healthz/..',
  '//healthz',
  '/openapi.json/',
  '/openapi.yaml',
  '/openapi%2ejson',
  '/metrics',
  '/livez',
  '/readyz',
  '/console',
  '/favicon.ico',
  '/.well-known/jwks.json',
]

let listener: SignListener
let server: Listener
beforeAll(async () => {
  listener = await signListener(house())
  server = await listen(listener.app, { host: '127.0.0.1', port: 0 }, { requestId: () => 'an-id' })
})
afterAll(() => server.close(0))

function onTheWire(target: string, authorization: readonly string[]): string {
  const body = JSON.stringify(goodClaims)
  const headers = [
    'Host: chancery',
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    ...authorization,
  ]
  return requestText(`POST ${target} HTTP/1.1`, headers, body)
}

describe.each(strangePaths)('%s', (path) => {
  test('is not found, whoever asks, before anything decodes or normalises it', async () => {
    for (const authorization of [[], [`Authorization: ${listener.bearerOf('blog-backend')}`]]) {
      const { text, statuses } = await exchange(server.url, onTheWire(path, authorization))
      expect(statuses).toEqual([404])
      expect(text).toContain('"code":"not_found"')
      expect(text).not.toContain('WWW-Authenticate')
    }
    expect(listener.audit.events).toEqual([])
  })
})

test('a fragment is no part of a target, and one that holds it is not found', async () => {
  const { statuses } = await exchange(server.url, onTheWire('/v1/keys/reports/sign#x', []))
  expect(statuses).toEqual([404])
})

test.each([
  ['the good one', '/v1/keys/reports/sign', 200, '"jwt":'],
  [
    'with a query, which signing does not look at',
    '/v1/keys/reports/sign?a=/../..%2f',
    200,
    '"jwt":',
  ],
  ['with the longest name there can be', `/v1/keys/${longest}/sign`, 404, '"code":"key_not_found"'],
])('%s is a route', async (_, path, status, shown) => {
  const authorization = `Authorization: ${listener.bearerOf('blog-backend')}`
  const { text, statuses } = await exchange(server.url, onTheWire(path, [authorization]))
  expect(statuses).toEqual([status])
  expect(text).toContain(shown)
  const without = await exchange(server.url, onTheWire(path, []))
  expect(without.statuses).toEqual([401])
})

test('without a socket, as tests ask, the same targets are not found', async () => {
  for (const path of [
    '/v1/keys/reports/sign/',
    '/v1/keys/REPORTS/sign',
    '//v1/keys/reports/sign',
  ]) {
    const { status } = await listener.ask(path, { body: goodClaims })
    expect([path, status]).toEqual([path, 404])
  }
})
