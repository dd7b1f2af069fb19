import type { Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { listen, type Refused } from '../../src/http/listen.ts'
import type { Listener } from '../../src/listener/server.ts'
import { pause } from '../../src/lib/deadline.ts'
import { goodClaims, house } from '../support/house.ts'
import { dial, exchange, read, requestText } from '../support/raw-socket.ts'
import { signListener, type SignListener } from '../support/sign-listener.ts'

let listener: SignListener
let server: Listener
let authorization: string
const refused: Refused[] = []
beforeAll(async () => {
  listener = await signListener(house())
  authorization = `Authorization: ${listener.bearerOf('blog-backend')}`
  const options = {
    requestId: () => 'an-id',
    onRefused: (one: Refused) => void refused.push(one),
  }
  server = await listen(listener.app, { host: '127.0.0.1', port: 0 }, options)
})
afterAll(() => server.close(0))
afterEach(() => void refused.splice(0))

const body = JSON.stringify(goodClaims)
const content = ['Content-Type: application/json', `Content-Length: ${body.length}`]
const close = 'Connection: close'
const target = 'POST /v1/keys/reports/sign HTTP/1.1'
const closing = () => ['Host: c', authorization, ...content, close]
const good = (headers: readonly string[] = closing()) => requestText(target, headers, body)
/** Without the length that the others have. */
const coded = (...headers: readonly string[]) =>
  requestText(
    target,
    ['Host: c', authorization, 'Content-Type: application/json', ...headers],
    '0\r\n\r\n',
  )

/** Requests that are refused before there is one, each with another behind it. */
const shapes: readonly (readonly [string, () => string])[] = [
  ['CONNECT', () => requestText('CONNECT c:80 HTTP/1.1', ['Host: c', authorization])],
  ['CONNECT to us', () => requestText('CONNECT /v1/keys/reports/sign HTTP/1.1', closing())],
  ['an expectation of its own', () => good([...closing(), 'Expect: a-signature'])],
  ['HTTP/2 with prior knowledge', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['HTTP/3', () => good().replace('HTTP/1.1', 'HTTP/3.0')],
  ['a version in small letters', () => good().replace('HTTP/1.1', 'http/1.1')],
  ['a tab in the first line', () => good().replace('POST ', 'POST\t')],
  ['a space before the first header', () => good().replace('\r\nHost', '\r\n Host')],
  ['a header without a name', () => good([...closing(), ': a'])],
  ['a header without a colon', () => good([...closing(), 'nothing'])],
  ['a coding that is spelled twice', () => coded('Transfer-Encoding: chunked, chunked')],
  ['a coding with a parameter', () => coded('Transfer-Encoding: chunked;q=1')],
  ['a coding in quotes', () => coded('Transfer-Encoding: "chunked"')],
  ['gzip', () => coded('Transfer-Encoding: gzip')],
  ['identity', () => coded('Transfer-Encoding: identity')],
  ['a length with an underscore', () => coded('Content-Length: 1_0')],
  ['a length of letters', () => coded('Content-Length: ten')],
  ['a length with a fraction', () => coded('Content-Length: 5.0')],
  ['a length beyond every number', () => coded(`Content-Length: ${'9'.repeat(40)}`)],
  ['an empty length', () => coded('Content-Length:')],
  ['a chunk of a negative size', () => coded('Transfer-Encoding: chunked').replace('0\r', '-1\r')],
  [
    'a chunk size beyond every number',
    () => coded('Transfer-Encoding: chunked').replace(/0\r\n\r\n$/, `${'f'.repeat(20)}\r\n`),
  ],
  [
    'a chunk size in 0x',
    () => coded('Transfer-Encoding: chunked').replace(/0\r\n\r\n$/, '0x5\r\n'),
  ],
  ['a Host that is a URL', () => good(['Host: http://c/', authorization, ...content])],
  ['a Host of another spelling', () => good(['Host: 127.1', authorization, ...content])],
  ['a Host with a port that is none', () => good(['Host: c:99999', authorization, ...content])],
  ['TLS', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
]

describe('what is no request', () => {
  test.each(shapes)('%s: 400, counted, and nothing behind it is served', async (_, bytes) => {
    const before = listener.audit.events.length
    const { text, statuses } = await exchange(server.url, bytes() + good())
    expect(statuses).toEqual([400])
    for (const header of ['Connection: close', 'Cache-Control: no-store', 'X-Request-Id: an-id']) {
      expect(text).toContain(`${header}\r\n`)
    }
    expect(refused).toEqual([{ requestId: 'an-id', code: 'malformed_request', status: 400 }])
    expect(listener.audit.events.length).toBe(before)
  })

  test('a header beyond the sixty-fourth does not go unseen', async () => {
    const padding = Array.from({ length: 64 }, (_, i) => `X-${i}: a`)
    for (const hidden of ['Authorization: Bearer none', 'Content-Length: 0', 'Host: d']) {
      const { statuses } = await exchange(server.url, good([...closing(), ...padding, hidden]))
      expect(statuses).toEqual([413])
    }
  })
})

test('whoever resets a connection in the middle of a refusal ends no more than that', async () => {
  // An error that nobody listens to ends the process, and with it this run.
  for (const [, bytes] of shapes) {
    const sent = `${bytes()}${'a'.repeat(20_000)}`
    for (const reset of [(socket: Socket) => void socket.resetAndDestroy(), undefined]) {
      const socket = await dial(server.url)
      const closed = read(socket)
      socket.once('data', () => socket.resetAndDestroy())
      socket.write(sent, () => reset?.(socket))
      await closed
    }
  }
  expect((await exchange(server.url, good())).statuses).toEqual([200])
})

/** A path that is not exactly one of ours, as it stands on the wire. */
const oddPaths = [
  '//v1/keys/reports/sign',
  '/v1//keys/reports/sign',
  '/v1/keys/reports/sign/',
  '/v1/keys/reports/sign//',
  '/./v1/keys/reports/sign',
  '/v1/keys/hidden/../reports/sign',
  '/v1/keys/reports/./sign',
  '/v1/keys/%72eports/sign',
  '/v1/keys/reports%2fsign',
  '/v1/keys/reports/%73ign',
  '/v1%2fkeys/reports/sign',
  '/%2e/v1/keys/reports/sign',
  '/v1/keys/reports/sign;a=b',
  '/v1/keys/reports/sign%00',
  '/v1/keys/reports/sign%0d%0aX-A:%20b',
  '/V1/keys/reports/sign',
  '/v1/keys/REPORTS/sign',
  '/v1/keys/reports/SIGN',
  '/v1/keys/reports.json/sign',
  '/v1/keys/reports/sign.json',
  '/v1/keys//sign',
  '/v1/keys/-/sign',
  '/v1/keys/__proto__/sign',
  '/v1/keys/*/sign',
  '/healthz/../v1/keys/reports/sign',
  '/healthz/',
]

test.each(oddPaths)('%s is no path: 404 with a credential and without', async (path) => {
  const before = listener.audit.events.length
  for (const headers of [closing(), ['Host: c', ...content, close]]) {
    const start = `POST ${path} HTTP/1.1`
    const { text, statuses } = await exchange(server.url, requestText(start, headers, body))
    expect(statuses).toEqual([404])
    expect(text).toContain('"code":"not_found"')
  }
  expect(listener.audit.events.length).toBe(before)
})

test.each(['/v1/keys/reports/sign#a', '/v1/keys/reports/sign\\', '/v1/keys/reports/s ign'])(
  '%s is no target of HTTP: nothing is signed',
  async (path) => {
    const before = listener.audit.events.length
    const start = `POST ${path} HTTP/1.1`
    const { statuses } = await exchange(server.url, requestText(start, closing(), body))
    expect([[400], [404]]).toContainEqual(statuses)
    expect(listener.audit.events.length).toBe(before)
  },
)

describe('a good request with something behind it that is none', () => {
  const kept = () => good(['Host: c', authorization, ...content])

  test('is signed and answered, then the other is refused', async () => {
    const { text, statuses } = await exchange(server.url, `${kept()}\0\r\n\r\n`)
    expect(statuses).toEqual([200, 400])
    expect(text).toContain('"jwt":"')
    expect(refused).toEqual([{ requestId: 'an-id', code: 'malformed_request', status: 400 }])
  })

  test('behind several of them, all are answered in their order', async () => {
    const { statuses } = await exchange(server.url, `${kept().repeat(3)}\0\r\n\r\n${kept()}`)
    expect(statuses).toEqual([200, 200, 200, 400])
  })

  test('which says that it is the last is the last', async () => {
    const { text, statuses } = await exchange(server.url, good() + kept())
    expect(statuses).toEqual([200])
    expect(text).toContain('"jwt":"')
  })
})

test('an upgrade is not taken up: the request is answered as it stands', async () => {
  const upgrade = ['Upgrade: websocket', 'Connection: upgrade, close', 'Sec-WebSocket-Key: a']
  const { text, statuses } = await exchange(
    server.url,
    good(['Host: c', authorization, ...content, ...upgrade]),
  )
  expect(statuses).toEqual([200])
  expect(text).not.toMatch(/upgrade/i)
})

// Their limits are those of the service: these tests take as long as a slow client may.
describe.concurrent('a client that is too slow', () => {
  const head = (...headers: readonly string[]) =>
    [target, 'Host: c', authorization, ...headers].join('\r\n')

  test.each<[string, () => string, string]>([
    ['with its first line', () => 'POST /v1/', '400'],
    ['with its headers', () => head('X-A: '), '400'],
    ['with its body', () => `${head(...content)}\r\n\r\n{`, '504'],
    ['with a chunk', () => `${head('Transfer-Encoding: chunked')}\r\n\r\nff\r\n{`, '504'],
  ])('%s is answered and cut off, whatever it goes on sending', async (...given) => {
    const [, bytes, status] = given
    const socket = await dial(server.url, { allowHalfOpen: true })
    const closed = read(socket)
    socket.write(bytes())
    // It neither stops nor closes its half when it is told: Node itself would go on reading.
    while (!socket.destroyed) {
      await pause(500)
      socket.write('a')
    }
    const { text } = await closed
    expect(text).toContain(`HTTP/1.1 ${status} `)
    expect(text).toMatch(/x-request-id: /i)
    expect(text).toMatch(/cache-control: no-store/i)
  })
})
