import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export type Answer = { readonly isOk: boolean; readonly bytes: Buffer }

export interface Listener {
  answered(connection: Connection, answer: Answer): void
  broke(connection: Connection, reason: string): void
}

const endOfHead = Buffer.from('\r\n\r\n')

/** One keep-alive connection, with one request in flight at most: pipelining is off. */
export class Connection {
  /** When its request was sent, or should have been: whoever sends writes it here. */
  sinceMs = 0
  readonly #socket: Socket
  readonly #request: Uint8Array
  #partial: Buffer | undefined
  #closed = false

  constructor(socket: Socket, request: Uint8Array, listener: Listener) {
    this.#socket = socket.setNoDelay(true)
    this.#request = request
    const broke = (reason: string) => {
      if (!this.#closed) listener.broke(this, reason)
      this.close()
    }
    socket.on('data', (chunk) => {
      try {
        const answer = this.#read(chunk)
        if (answer) listener.answered(this, answer)
      } catch (error) {
        broke(String(error))
      }
    })
    socket.once('error', (error) => broke(error.message))
    socket.once('close', () => broke('the server closed the connection'))
  }

  send(): void {
    this.#socket.write(this.#request)
  }

  close(): void {
    this.#closed = true
    this.#socket.destroy()
  }

  /** @returns the answer when its last byte is here. */
  #read(chunk: Buffer): Answer | undefined {
    const bytes = this.#partial ? Buffer.concat([this.#partial, chunk]) : chunk
    this.#partial = bytes
    const headLength = bytes.indexOf(endOfHead)
    if (headLength === -1) return undefined
    const head = bytes.toString('latin1', 0, headLength)
    const bodyLength = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    if (bodyLength === undefined) throw new Error('an answer without Content-Length')
    const length = headLength + endOfHead.length + Number(bodyLength)
    if (bytes.length < length) return undefined
    if (bytes.length > length) throw new Error('more than the one answer that was asked for')
    this.#partial = undefined
    return { isOk: head.startsWith('HTTP/1.1 200 '), bytes }
  }
}

export async function openConnections(
  { port, connections }: { readonly port: number; readonly connections: number },
  request: Uint8Array,
  listener: Listener,
): Promise<readonly Connection[]> {
  const opening = Array.from({ length: connections }, async () => {
    const socket = connect({ host: '127.0.0.1', port })
    await once(socket, 'connect')
    return new Connection(socket, request, listener)
  })
  return Promise.all(opening)
}

/** One request on a connection of its own. @returns the whole answer, head and body. */
export async function ask(port: number, request: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const [connection] = await openConnections({ port, connections: 1 }, Buffer.from(request), {
    answered: (_, answer) => resolve(answer),
    broke: (_, reason) => reject(new Error(reason)),
  })
  connection?.send()
  try {
    return await promise
  } finally {
    connection?.close()
  }
}

export function bodyOf({ bytes }: Answer): string {
  return bytes.toString('utf8', bytes.indexOf(endOfHead) + endOfHead.length)
}
