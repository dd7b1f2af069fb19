import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { listen, type Refused } from '../../src/http/listen.ts'
import type { Listener } from '../../src/listener/server.ts'
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
afterEach(() => void refused.splice(0))
afterAll(() => server.close(0))

const json = 'Content-Type: application/json'
const body = JSON.stringify(goodClaims)
const length = `Content-Length: ${body.length}`
const target = 'POST /v1/keys/reports/sign HTTP/1.1'
const noBody = '0\r\n\r\n'

/** A good request on the wire, after which the server may close. */
const good = () =>
  requestText(target, ['Host: c', authorization, json, length, 'Connection: close'], body)

/** A good request with these headers instead, and another one behind it that must not be served. */
function smuggled(headers: readonly string[], content = body, start = target): string {
  return requestText(start, headers, content) + good()
}

/** Two readings of one request: nobody honest sends these. */
const ambiguous: readonly (readonly [string, () => string])[] = [
  ['two Hosts', () => smuggled(['Host: a', 'Host: c', authorization, json, length])],
  ['two equal Hosts', () => smuggled(['Host: c', 'host: c', authorization, json, length])],
  ['two content types', () => smuggled(['Host: c', authorization, json, json, length])],
  [
    'an absolute target',
    () =>
      smuggled(
        ['Host: c', authorization, json, length],
        body,
        'POST http://c/v1/keys/reports/sign HTTP/1.1',
      ),
  ],
  ['an asterisk', () => smuggled(['Host: c', authorization], '', 'OPTIONS * HTTP/1.1')],
  [
    'an authority',
    () => smuggled(['Host: c', authorization, json, length], body, 'POST c:80 HTTP/1.1'),
  ],
  [
    'a length and chunks',
    () => smuggled(['Host: c', authorization, json, length, 'Transfer-Encoding: chunked'], noBody),
  ],
  [
    'chunks and a length',
    () => smuggled(['Host: c', authorization, json, 'Transfer-Encoding: chunked', length], noBody),
  ],
  ['two lengths', () => smuggled(['Host: c', authorization, json, length, 'Content-Length: 0'])],
  ['two equal lengths', () => smuggled(['Host: c', authorization, json, length, length])],
  [
    'a list of lengths',
    () => smuggled(['Host: c', authorization, json, `${length}, ${body.length}`]),
  ],
  [
    'a signed length',
    () => smuggled(['Host: c', authorization, json, `Content-Length: +${body.length}`]),
  ],
  ['a negative length', () => smuggled(['Host: c', authorization, json, 'Content-Length: -1'])],
  ['a length in hex', () => smuggled(['Host: c', authorization, json, 'Content-Length: 0x1b'])],
  [
    'two codings',
    () =>
      smuggled(
        [
          'Host: c',
          authorization,
          json,
          'Transfer-Encoding: chunked',
          'Transfer-Encoding: chunked',
        ],
        noBody,
      ),
  ],
  [
    'chunks that are not last',
    () =>
      smuggled(['Host: c', authorization, json, 'Transfer-Encoding: chunked, identity'], noBody),
  ],
  [
    'an unknown coding',
    () => smuggled(['Host: c', authorization, json, 'Transfer-Encoding: xchunked'], noBody),
  ],
  [
    'a coding behind a tab',
    () => smuggled(['Host: c', authorization, json, 'Transfer-Encoding: \x0bchunked'], noBody),
  ],
  [
    'a space before a colon',
    () => smuggled(['Host: c', authorization, json, 'Transfer-Encoding : chunked'], noBody),
  ],
  [
    'a chunk of no size',
    () => smuggled(['Host: c', authorization, json, 'Transfer-Encoding: chunked'], 'zz\r\n'),
  ],
  [
    'bare line feeds',
    () => smuggled(['Host: c', authorization, json, length]).replace('\r\nHost', '\nHost'),
  ],
  [
    'bare line feeds in chunks',
    () => smuggled(['Host: c', authorization, json, 'Transfer-Encoding: chunked'], '1\n{\n0\n\n'),
  ],
  [
    'a bare carriage return',
    () => smuggled(['Host: c', authorization, json, length, 'X-A: a\rX-B: b']),
  ],
  ['a folded header', () => smuggled(['Host: c', authorization, json, length, 'X-A: a\r\n b'])],
  ['a zero byte', () => smuggled(['Host: c', authorization, json, length, 'X-A: a\0b'])],
  ['a space in a name', () => smuggled(['Host: c', authorization, json, length, 'X A: b'])],
  ['no Host', () => smuggled([authorization, json, length])],
  ['an empty Host', () => smuggled(['Host:', authorization, json, length])],
  [
    'a Host with a path',
    () => smuggled(['Host: c/v1/keys/hidden/sign?', authorization, json, length]),
  ],
  ['a Host with a user', () => smuggled(['Host: c@d', authorization, json, length])],
  ['a Host of two words', () => smuggled(['Host: c d', authorization, json, length])],
  [
    'a backslash',
    () =>
      smuggled(
        ['Host: c', authorization, json, length],
        body,
        'POST /v1/keys/reports\\sign HTTP/1.1',
      ),
  ],
  [
    'letters beyond ASCII',
    () =>
      smuggled(
        ['Host: c', authorization, json, length],
        body,
        'POST /v1/keys/répòrts/sign HTTP/1.1',
      ),
  ],
  [
    'a method of our own',
    () =>
      smuggled(
        ['Host: c', authorization, json, length],
        body,
        'SIGN /v1/keys/reports/sign HTTP/1.1',
      ),
  ],
  ['HTTP/0.9', () => `GET /healthz\r\n\r\n${good()}`],
]

describe('one request that two readers may read differently', () => {
  test.each(ambiguous)('%s: 400, closed, and nothing behind it is served', async (_, bytes) => {
    const before = listener.audit.events.length
    const { text, statuses } = await exchange(server.url, bytes())
    expect(statuses).toEqual([400])
    expect(text).toContain('Connection: close\r\n')
    expect(text).toContain('X-Request-Id: an-id\r\n')
    expect(text).toContain('Cache-Control: no-store\r\n')
    expect(text).toContain('"requestId":"an-id"')
    expect(refused).toEqual([{ requestId: 'an-id', code: 'malformed_request', status: 400 }])
    expect(text).not.toMatch(/canary|\.ts:\d|node_modules/)
    // An honest one on another connection, so that there was time for what must not happen.
    expect((await exchange(server.url, good())).statuses).toEqual([200])
    expect(listener.audit.events.slice(before)).toEqual(['intent', 'outcome released'])
  })

  test('two Authorization headers: no credential is chosen among them', async () => {
    const none = 'Authorization: Bearer none'
    for (const pair of [
      [authorization, none],
      [none, authorization],
      [authorization, authorization],
    ]) {
      const { text, statuses } = await exchange(
        server.url,
        smuggled(['Host: c', ...pair, json, length]),
      )
      expect(statuses).toEqual([400])
      expect(text).toContain('"code":"two_credentials"')
      expect(text).toContain('Connection: close')
      expect(text).toContain('Cache-Control: no-store')
    }
    expect(refused.map(({ code }) => code)).toEqual(Array(3).fill('two_credentials'))
  })

  test('and an honest one is served', async () => {
    const { statuses } = await exchange(server.url, good())
    expect(statuses).toEqual([200])
  })
})

describe('bounds of a connection', () => {
  test.each([
    ['a header', [`X-A: ${'a'.repeat(8_192)}`], target],
    ['all headers', Array.from({ length: 60 }, (_, i) => `X-${i}: ${'a'.repeat(150)}`), target],
    ['the number of headers', Array.from({ length: 100 }, (_, i) => `X-${i}: a`), target],
    ['a target', [], `POST /v1/keys/reports/sign?${'a'.repeat(8_192)} HTTP/1.1`],
  ])('%s beyond its limit is refused, and the connection closed', async (_, more, start) => {
    const { statuses } = await exchange(
      server.url,
      smuggled(['Host: c', authorization, json, length, ...more], body, start),
    )
    expect(statuses).toEqual([413])
    expect(refused).toEqual([{ requestId: 'an-id', code: 'request_too_large', status: 413 }])
  })

  test('a body that is declared too large is refused before it is sent', async () => {
    const socket = await dial(server.url)
    const answered = read(socket)
    socket.write(
      requestText(target, [
        'Host: c',
        authorization,
        json,
        'Content-Length: 65537',
        'Connection: close',
      ]),
    )
    const { text, statuses } = await answered
    expect(statuses).toEqual([413])
    expect(text).toContain('"code":"request_too_large"')
  })

  test('a body in chunks is refused where it becomes too large', async () => {
    const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`
    const headers = [
      'Host: c',
      authorization,
      json,
      'Transfer-Encoding: chunked',
      'Connection: close',
    ]
    const { text, statuses } = await exchange(
      server.url,
      requestText(target, headers, chunk.repeat(5) + noBody),
    )
    expect(statuses).toEqual([413])
    expect(text).toContain('"code":"request_too_large"')
  })

  test('a body in chunks within the limit is signed', async () => {
    const chunks = `5\r\n${body.slice(0, 5)}\r\n${(body.length - 5).toString(16)}\r\n${body.slice(5)}\r\n${noBody}`
    const headers = [
      'Host: c',
      authorization,
      json,
      'Transfer-Encoding: chunked',
      'Connection: close',
    ]
    const { statuses } = await exchange(server.url, requestText(target, headers, chunks))
    expect(statuses).toEqual([200])
  })
})

test('requests that follow each other on one connection are answered in their order', async () => {
  const first = requestText('GET /healthz HTTP/1.1', ['Host: c'])
  const second = requestText('GET /nothing HTTP/1.1', ['Host: c'])
  const { statuses } = await exchange(server.url, first + second + good())
  expect(statuses).toEqual([200, 404, 200])
})
