import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { ServiceError } from '../errors.ts'
import { deadline, every, within } from '../lib/deadline.ts'
import { doorman, headerBytesMax, type Refuse } from './refuse.ts'
import { isForged, type TlsMaterial } from './tls.ts'

/** https://nodejs.org/api/http.html#httpcreateserveroptions-requestlistener: a slow client holds a socket no longer. */
const limits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 250, // few at a time: each that is cut off costs 0.1 ms
  keepAliveTimeout: 65_000,
  maxHeaderSize: headerBytesMax,
  requireHostHeader: false, // looked at below, where what follows can be left alone
} as const

/** https://nodejs.org/api/tls.html#tlscreateserveroptions-secureconnectionlistener */
const handshakeTimeoutMs = 5_000

const headersMax = 64

/** Four for each request that may be in flight; a connection beyond them is closed as it comes. */
const connectionsMax = 8_192

/** While closing. */
const sweepEveryMs = 50

export type ListenOptions = {
  readonly refuse: Refuse
  /** Without it: plain HTTP. */
  readonly tls?: TlsMaterial | undefined
  /** A certificate that nobody we know has signed: its connection was ended. */
  readonly onForged?: () => void
}

export type Listener = {
  /** `http://127.0.0.1:8480`, with the port that was taken. */
  readonly url: string
  /** New connections get this certificate; those that are open keep theirs. */
  renew(tls: TlsMaterial): void
  /** Stops accepting, lets requests finish for so long, then cuts what is left. */
  close(graceMs: number): Promise<void>
}

/**
 * Serves an application to whoever connects, with a bound on everything that a connection may cost.
 *
 * @throws {ServiceError} `config_invalid` when the address cannot be had.
 */
export async function listen(
  app: Hono,
  { host, port }: { readonly host: string; readonly port: number },
  { refuse, tls, onForged }: ListenOptions,
): Promise<Listener> {
  const { guarded, unread, connect, unexpected, dismiss } = doorman(refuse)
  const answerWith = getRequestListener(app.fetch)
  const handle = guarded((...both) => void answerWith(...both))
  const server = tls ? secureServer(tls, handle) : createServer(limits, handle)
  server.maxHeadersCount = headersMax
  server.maxConnections = connectionsMax
  server.on('clientError', unread).on('connect', connect).on('checkExpectation', unexpected)
  server.on('secureConnection', (socket: TLSSocket) => {
    if (!isForged(socket)) return
    onForged?.()
    dismiss(socket)
  })
  await bound(server, host, port)
  const address = server.address()
  const taken = isAddress(address) ? address.port : port
  const shownHost = host.includes(':') ? `[${host}]` : host
  return {
    url: `${tls ? 'https' : 'http'}://${shownHost}:${taken}`,
    renew: (renewed) => (isTlsServer(server) ? server.setSecureContext(renewed) : undefined),
    close: (graceMs) => close(server, graceMs),
  }
}

/** Callers without a certificate are welcome to show another credential; a forged one is not. */
function secureServer(tls: TlsMaterial, handle: RequestListener): TlsServer {
  return createTlsServer(
    {
      ...limits,
      ...tls,
      handshakeTimeout: handshakeTimeoutMs,
      requestCert: tls.ca !== undefined,
      rejectUnauthorized: false,
    },
    handle,
  )
}

function isTlsServer(server: Server | TlsServer): server is TlsServer {
  return 'setSecureContext' in server
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

async function close(server: Server, graceMs: number): Promise<void> {
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
