import { connect, type Socket } from 'node:net'
import { once } from 'node:events'

/** What came back on one connection, until the server closed it. */
export type Exchange = { readonly text: string; readonly statuses: readonly number[] }

/** Writes these bytes and reads until the server closes the connection, which it has to do. */
export async function exchange(url: string, sent: string | Uint8Array): Promise<Exchange> {
  const socket = await dial(url)
  const closed = read(socket)
  socket.write(sent)
  return closed
}

/** @param options.allowHalfOpen a client that does not close when the server has. */
export async function dial(url: string, options = { allowHalfOpen: false }): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), ...options })
  await once(socket, 'connect')
  return socket
}

/** Everything up to the end of the connection. */
export async function read(socket: Socket): Promise<Exchange> {
  const chunks: Buffer[] = []
  const closed = Promise.withResolvers<void>()
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {}) // a reset is an end too
  socket.once('close', closed.resolve)
  await closed.promise
  const text = Buffer.concat(chunks).toString('utf8')
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
  return { text, statuses: statuses.filter((status) => status !== 100) }
}

/** One request as it stands on the wire. */
export function requestText(start: string, headers: readonly string[], body = ''): string {
  return [start, ...headers, '', body].join('\r\n')
}
