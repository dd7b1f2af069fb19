import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { configuredDestination, type Destination } from '../../src/lib/destination.ts'
import type { SelfSigned } from './self-signed.ts'

/** A server of documents on this host, that does what a test says. */
export interface DocumentServer extends AsyncDisposable {
  readonly url: string
  /** Of its root. */
  readonly destination: Destination
  /** The requests that came, by path. */
  readonly asked: readonly string[]
  /** How many connections are open. */
  readonly openConnections: () => Promise<number>
}

export async function documentServer(
  answer: RequestListener,
  certificate?: SelfSigned,
): Promise<DocumentServer> {
  const asked: string[] = []
  const listener: RequestListener = (request, response) => {
    asked.push(request.url ?? '')
    answer(request, response)
  }
  const server = certificate ? createTlsServer(certificate, listener) : createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `${certificate ? 'https' : 'http'}://127.0.0.1:${portOf(server)}`
  return {
    url,
    destination: permitted(url),
    asked,
    openConnections: async () => {
      const { promise, resolve } = Promise.withResolvers<number>()
      server.getConnections((_, count) => resolve(count))
      return promise
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

export function portOf(server: Pick<Server, 'address'>): number {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}

export function permitted(url: string): Destination {
  const verdict = configuredDestination(url)
  if ('refused' in verdict) throw new Error(verdict.refused)
  return verdict
}
