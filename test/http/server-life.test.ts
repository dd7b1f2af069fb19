import { once } from 'node:events'
import { createServer } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { Hono } from 'hono'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { listen } from '../../src/http/listen.ts'
import type { Listener } from '../../src/listener/server.ts'
import { goodClaims, house } from '../support/house.ts'
import { dial, exchange, read, requestText } from '../support/raw-socket.ts'
import { signListener } from '../support/sign-listener.ts'
import { held } from '../support/watched-signer.ts'

const graceMs = 60_000

/** A listener whose vault answers when it is told to. */
async function slowVault() {
  const { vault, ...setting } = house()
  const listener = await signListener(setting)
  const hold = held()
  const asked = Promise.withResolvers<void>()
  vault.answer(async (signature, signal) => {
    asked.resolve()
    return hold.onItsWay(signature, signal)
  })
  const server = await listenHere(listener.app)
  const body = JSON.stringify(goodClaims)
  const headers = ['Host: c', `Authorization: ${listener.bearerOf('blog-backend')}`]
  const content = ['Content-Type: application/json', `Content-Length: ${body.length}`]
  const request = requestText('POST /v1/keys/reports/sign HTTP/1.1', [...headers, ...content], body)
  return { ...listener, server, vault, request, asked: asked.promise, letGo: () => hold.letGo() }
}

async function listenHere(app: Hono): Promise<Listener> {
  const server = await listen(app, { host: '127.0.0.1', port: 0 }, { requestId: () => 'an-id' })
  onTestFinished(() => server.close(0))
  return server
}

describe('closing', () => {
  test('lets a request in flight finish, and takes no new connection', async () => {
    const { server, request, asked, letGo } = await slowVault()
    const socket = await dial(server.url)
    const answered = read(socket)
    socket.write(request)
    await asked
    const closed = server.close(graceMs)
    await expect(dial(server.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    letGo()
    const { text, statuses } = await answered
    expect(statuses).toEqual([200])
    expect(text).toContain('"jwt":"')
    await closed
  })

  test('does not wait for a caller that keeps its connection', async () => {
    const { server } = await slowVault()
    const socket = await dial(server.url)
    const ended = read(socket)
    socket.write(requestText('GET /healthz HTTP/1.1', ['Host: c']))
    await once(socket, 'data')
    await server.close(graceMs)
    expect((await ended).statuses).toEqual([200])
  })

  test('cuts what is left when its grace is over', async () => {
    const { server, request, asked } = await slowVault()
    const socket = await dial(server.url)
    const answered = read(socket)
    socket.write(request)
    await asked
    await server.close(1)
    expect((await answered).text).toBe('')
  })
})

describe('a caller that hangs up', () => {
  test('gets no signature, and the audit says that none was released', async () => {
    const { server, request, asked, letGo, audit, observations, vault } = await slowVault()
    const socket = await dial(server.url)
    socket.write(request)
    await asked
    socket.destroy()
    await once(socket, 'close')
    while (observations.length === 0) await turn()
    letGo()
    await turn()
    expect(vault.calls).toHaveLength(1)
    expect(audit.events).toEqual(['intent', 'outcome deadline_exceeded'])
    expect(observations).toEqual([
      expect.objectContaining({ code: 'deadline_exceeded', status: 504 }),
    ])
  })

  test('in the middle of a body is no bug of the service', async () => {
    const { server, request, observations, audit } = await slowVault()
    const socket = await dial(server.url)
    const ended = read(socket)
    socket.end(request.slice(0, -3))
    await ended
    while (observations.length === 0) await turn()
    expect(observations).toEqual([
      expect.objectContaining({
        code: expect.stringMatching(/^(?:malformed_request|deadline_exceeded)$/),
      }),
    ])
    expect(audit.events).toEqual([])
  })
})

test('a body that never comes ends with the deadline of its request', async () => {
  const { server, bearerOf } = await slowVault()
  const headers = [
    'Host: c',
    `Authorization: ${bearerOf('blog-backend')}`,
    'Content-Type: application/json',
    'Content-Length: 100',
    'X-Request-Timeout: 5',
    'Connection: close',
  ]
  const { text, statuses } = await exchange(
    server.url,
    requestText('POST /v1/keys/reports/sign HTTP/1.1', headers, '{"cla'),
  )
  expect(statuses).toEqual([504])
  expect(text).toContain('"code":"deadline_exceeded"')
})

describe('an address that cannot be had', () => {
  test('is in use: the next step is told', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void taken.close())
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const asked = listen(new Hono(), { host: '127.0.0.1', port }, { requestId: () => 'an-id' })
    await expect(asked).rejects.toBeInstanceOf(ServiceError)
    await expect(asked).rejects.toMatchObject({
      code: 'config_invalid',
      message: `Cannot listen on 127.0.0.1:${port}: it is in use: stop the other process, or configure another address under listen`,
    })
  })

  test('is not of this machine: the next step is told', async () => {
    const asked = listen(new Hono(), { host: '192.0.2.1', port: 0 }, { requestId: () => 'an-id' })
    await expect(asked).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(
        /^Cannot listen on 192\.0\.2\.1:0: .*configure another address under listen$/,
      ),
    })
  })
})

test('port 0 takes a free one, and says which', async () => {
  const app = new Hono().get('/healthz', (context) => context.text('ok'))
  const [one, other] = [await listenHere(app), await listenHere(app)]
  expect(one.url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/)
  expect(one.url).not.toBe(other.url)
})

test('an IPv6 address is shown so that it is a URL', async () => {
  const shown = await listen(
    new Hono(),
    { host: '::1', port: 0 },
    { requestId: () => 'an-id' },
  ).then(
    (server) => {
      onTestFinished(() => server.close(0))
      return server.url
    },
    (error: unknown) => (error instanceof ServiceError ? error.code : error),
  )
  // A machine without IPv6 cannot show more than that it has none.
  expect(shown).toMatch(/^http:\/\/\[::1\]:\d+$|^config_invalid$/)
})
