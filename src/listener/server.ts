import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { ServiceError } from '../errors.ts'
import { deadline, every, within } from '../lib/deadline.ts'

/** https://nodejs.org/api/http.html#httpcreateserveroptions-requestlistener: a slow client holds a socket no longer. */
const limits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 8_192,
  requireHostHeader: false, // looked at below, where what follows can be left alone
} as const

const headersMax = 64

/** https://nodejs.org/api/tls.html#tlscreateserveroptions-secureconnectionlistener: Node's is two minutes. */
const handshakeTimeoutMs = 5_000

/** While closing. */
const sweepEveryMs = 50

export type Listener = {
  /** `http://127.0.0.1:8480`, with the port that was taken. */
  readonly url: string
  /** Stops accepting, lets requests finish for so long, then cuts what is left. */
  close(graceMs: number): Promise<void>
}

export type ListenAddress = {
  readonly host: string
  readonly port: number
  /** PEM. Without it HTTP is spoken in the clear. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer } | undefined
}

/** The whole answer to what never reaches the application. */
export type Refuse = (error: ServiceError) => {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Serves an application to whoever connects, with a bound on everything that a connection may cost.
 *
 * @throws {ServiceError} `config_invalid` when the address cannot be had, or the certificate not used.
 */
export async function listen(
  app: Hono,
  { host, port, tls }: ListenAddress,
  refuse: Refuse,
): Promise<Listener> {
  const handle = getRequestListener(app.fetch)
  const refused = new WeakSet<Socket>()
  const isReadable = hostReader()
  const server = serverOf(tls, (request, response) => {
    // Node goes on reading: what came in one piece with a refused request is left alone.
    if (refused.has(request.socket)) return
    const error = ambiguity(request, isReadable(request.headers.host))
    if (!error) return void handle(request, response)
    refused.add(request.socket)
    close(response, refuse(error))
  })
  server.maxHeadersCount = headersMax
  await bound(server, host, port)
  const address = server.address()
  const taken = isAddress(address) ? address.port : port
  const shownHost = host.includes(':') ? `[${host}]` : host
  const url = `${tls ? 'https' : 'http'}://${shownHost}:${taken}`
  return { url, close: (graceMs) => closeServer(server, graceMs) }
}

function serverOf(tls: ListenAddress['tls'], handle: RequestListener): Server {
  if (!tls) return createServer(limits, handle)
  try {
    return createSecureServer({ ...limits, ...tls, handshakeTimeout: handshakeTimeoutMs }, handle)
  } catch (cause) {
    const message =
      'The TLS certificate and its key cannot be used: give PEM files that fit each other'
    throw new ServiceError('config_invalid', message, { cause })
  }
}

/** Two readings of one request are how requests are smuggled: none of these has an honest use. */
function ambiguity(
  { headers, rawHeaders, url = '' }: IncomingMessage,
  isHostReadable: boolean,
): ServiceError | undefined {
  const isReadable = isHostReadable && /^\/[^\\?]*(?:\?|$)/.test(url)
  // Node has joined headers of one name: as many as were sent means that none was sent twice.
  const isPlain = Object.keys(headers).length * 2 === rawHeaders.length
  if (isPlain && isReadable) return undefined
  const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
  const isTwice = (name: string) => names.indexOf(name) !== names.lastIndexOf(name)
  if (isTwice('authorization')) {
    return new ServiceError('two_credentials', 'Send one Authorization header')
  }
  if (isReadable && !onceOnly.some(isTwice)) return undefined
  return new ServiceError('malformed_request', 'Send a path, one valid Host, and each header once')
}

/**
 * Whether a Host makes a URL; the adapter would answer anything else by an empty 400, and read on.
 * Callers send the same one again and again: the last good one is not parsed a second time.
 */
function hostReader(): (host: string | undefined) => boolean {
  let good = ''
  return (host = '') => {
    if (host !== '' && host === good) return true
    const name = host.replace(/:\d+$/, '').toLowerCase()
    if (URL.parse(`http://${host}`)?.hostname !== name) return false
    good = host
    return true
  }
}

const onceOnly = ['host', 'content-length', 'transfer-encoding', 'content-type']

/** Answered and closed: what follows on this connection may be meant for somebody else. */
function close(response: ServerResponse, { status, headers, body }: ReturnType<Refuse>): void {
  const length = Buffer.byteLength(body)
  response.writeHead(status, { ...headers, Connection: 'close', 'Content-Length': length })
  response.end(body)
}

function bound(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', (cause) => reject(cannotListen(host, port, cause)))
  server.listen(port, host, resolve)
  return promise
}

function cannotListen(host: string, port: number, cause: Error): ServiceError {
  const inUse = 'code' in cause && cause.code === 'EADDRINUSE'
  const why = inUse
    ? 'it is in use: stop the other process, or'
    : `it cannot be had (${cause.message}):`
  const message = `Cannot listen on ${host}:${port}: ${why} configure another address under listen`
  return new ServiceError('config_invalid', message, { cause })
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  // A connection becomes idle when its last request is answered, and would be kept for the next one.
  using _ = every(sweepEveryMs, async () => server.closeIdleConnections())
  using grace = deadline(graceMs)
  await within(closed, grace.signal).catch(() => server.closeAllConnections())
  await closed
}

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null
}
