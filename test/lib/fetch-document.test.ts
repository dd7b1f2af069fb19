import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import type { RequestListener, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { fetchDocument } from '../../src/lib/fetch-document.ts'
import { documentServer } from '../support/document-server.ts'
import { selfSigned } from '../support/self-signed.ts'
import { eventually } from '../support/serving.ts'

const patience = new AbortController().signal
const mebibyte = 1_048_576

afterEach(() => {
  vi.useRealTimers()
})

/** What comes of asking a server that answers like this. */
async function fetched(answer: RequestListener): Promise<unknown> {
  await using server = await documentServer(answer)
  return await fetchDocument(server.destination, patience)
}

const sending =
  (status: number, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  (_: unknown, response: ServerResponse) =>
    void response.writeHead(status, headers).end(body)

describe('a document', () => {
  test('is what its server says, in one request that says nothing of us', async () => {
    const seen: unknown[] = []
    const document = await fetched(({ method, headers }, response) => {
      seen.push({ method, headers })
      response.setHeader('Set-Cookie', 'a=b').end('{"a":[1,"ü"]}')
    })
    expect(document).toEqual({ a: [1, 'ü'] })
    const headers = {
      accept: 'application/json',
      'user-agent': 'chancery',
      host: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      connection: 'close',
    }
    expect(seen).toEqual([{ method: 'GET', headers }])
  })

  test('may have a mebibyte', async () => {
    const text = JSON.stringify('a'.repeat(mebibyte - 2))
    expect(text).toHaveLength(mebibyte)
    expect(await fetched(sending(200, text))).toHaveLength(mebibyte - 2)
  })

  test.each([201, 204, 206, 304, 401, 404, 429, 500, 503])(
    'does not come with %i',
    async (status) => {
      await expect(fetched(sending(status, '{}'))).rejects.toThrow(`status ${status}`)
    },
  )

  test.each([
    ['an HTML page', '<!doctype html><title>Sign in</title>'],
    ['nothing', ''],
    ['two values', '{} {}'],
    ['a member that stands twice', '{"keys":[],"keys":[]}'],
    ['an escape in a name', String.raw`{"k\u0065ys":[]}`],
    ['__proto__', '{"__proto__":{}}'],
    ['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
    ['compressed bytes', gzipSync('{}')],
    ['a document cut short', '{"keys":['],
  ])('is not %s', async (_, body) => {
    const answer = sending(200, body, { 'Content-Type': 'application/json' })
    await expect(fetched(answer)).rejects.toMatchObject({ code: 'malformed_request' })
  })
})

test('an error is left with all that its server still has to say', async () => {
  await using server = await documentServer((_, response) => {
    response.writeHead(500).write('<html>')
  })
  await expect(fetchDocument(server.destination, patience)).rejects.toThrow('status 500')
  await eventually(async () => (await server.openConnections()) === 0)
})

test.each([301, 302, 303, 307, 308])('a redirect with %i is not followed', async (status) => {
  await using server = await documentServer(({ url }, response) => {
    if (url === '/') response.writeHead(status, { Location: '/elsewhere' }).end()
    else response.end('{}')
  })
  await expect(fetchDocument(server.destination, patience)).rejects.toThrow(`status ${status}`)
  expect(server.asked).toEqual(['/'])
})

describe('too much', () => {
  test.each([
    ['with its length', { 'Content-Length': String(2 * mebibyte) }],
    ['without a length', { 'Transfer-Encoding': 'chunked' }],
  ])('%s is cut off', async (_, headers) => {
    const body = Buffer.alloc(2 * mebibyte, ' ')
    await using server = await documentServer(sending(200, body, headers))
    const fetching = fetchDocument(server.destination, patience)
    await expect(fetching).rejects.toThrow('more than 1048576 bytes')
    await eventually(async () => (await server.openConnections()) === 0)
  })

  test('without an end is cut off', async () => {
    await using server = await documentServer((_, response) => {
      const more = () => void response.write(Buffer.alloc(65_536, ' '), more)
      response.on('error', () => {})
      more()
    })
    const fetching = fetchDocument(server.destination, patience)
    await expect(fetching).rejects.toThrow('more than 1048576 bytes')
    await eventually(async () => (await server.openConnections()) === 0)
  })

  test('in headers is cut off', async () => {
    const answer = sending(200, '{}', { 'X-Long': 'a'.repeat(20_000) })
    await expect(fetched(answer)).rejects.toMatchObject({ code: 'HPE_HEADER_OVERFLOW' })
  })
})

/** The timers of our code are turned by hand; sockets have others. */
const byHand = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })

const slow: readonly (readonly [string, RequestListener])[] = [
  ['that never answers', () => {}],
  ['that never ends its headers', (_, { socket }) => void socket?.write('HTTP/1.1 200 OK\r\nX: ')],
  ['that never ends its body', (_, response) => void response.write('{"keys":')],
  [
    'that promises more than it sends',
    (_, response) => void response.writeHead(200, { 'Content-Length': '100' }).write('{}'),
  ],
]

describe('a server', () => {
  test.each(slow)('%s is left after three seconds', async (_, answer) => {
    await using server = await documentServer(answer)
    byHand()
    const settled: unknown[] = []
    const fetching = fetchDocument(server.destination, patience)
    fetching.catch((error: unknown) => settled.push(error))
    await eventually(() => server.asked.length === 1)
    vi.advanceTimersByTime(2_999)
    await server.openConnections()
    expect(settled).toEqual([])
    vi.advanceTimersByTime(1)
    await expect(fetching).rejects.toMatchObject({ code: 'deadline_exceeded' })
    await eventually(async () => (await server.openConnections()) === 0)
  })

  test.each(slow)('%s is left when the caller’s time is over', async (_, answer) => {
    await using server = await documentServer(answer)
    const limit = new AbortController()
    const fetching = fetchDocument(server.destination, limit.signal)
    await eventually(() => server.asked.length === 1)
    const reason = new Error('over')
    limit.abort(reason)
    await expect(fetching).rejects.toBe(reason)
    await eventually(async () => (await server.openConnections()) === 0)
  })

  test.each([
    ['that hangs up at once', (_, { socket }) => void socket?.destroy(), 'ECONNRESET'],
    [
      'that hangs up in the middle',
      (_, response) => {
        response.writeHead(200, { 'Content-Length': '100' })
        response.write('{"keys":[]}', () => response.destroy())
      },
      'ECONNRESET',
    ],
    [
      'that speaks something else',
      (_, { socket }) => void socket?.end('220 ftp\r\n'),
      'HPE_INVALID_CONSTANT',
    ],
  ] satisfies readonly (readonly [string, RequestListener, string])[])(
    '%s is an error',
    async (_, answer, code) => {
      await expect(fetched(answer)).rejects.toMatchObject({ code })
    },
  )

  test('that is not there is an error', async () => {
    const server = await documentServer(() => {})
    await server[Symbol.asyncDispose]()
    const fetching = fetchDocument(server.destination, patience)
    await expect(fetching).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})

describe('over TLS', () => {
  const here = selfSigned({ ip: '127.0.0.1' })
  const elsewhere = selfSigned({ dns: 'issuer.example' })
  const usual = getCACertificates('default')
  afterEach(() => setDefaultCACertificates(usual))

  const over = async (certificate: typeof here) => {
    await using server = await documentServer(sending(200, '{}'), certificate)
    return await fetchDocument(server.destination, patience)
  }

  test('a certificate of a known authority is taken', async () => {
    setDefaultCACertificates([...usual, here.cert])
    expect(await over(here)).toEqual({})
  })

  test('a certificate of nobody that is known is refused', async () => {
    await expect(over(here)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  })

  test('a certificate of another host is refused', async () => {
    setDefaultCACertificates([...usual, elsewhere.cert])
    await expect(over(elsewhere)).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  })
})
