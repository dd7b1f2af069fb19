import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { ServiceError } from '../errors.ts'
import { ambiguity, hostReader } from './ambiguity.ts'

export const headerBytesMax = 8_192

/** The whole answer to what never reaches the application. */
export type Refuse = (error: ServiceError) => {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Lets through what has one meaning only. */
export function guarded(
  handle: RequestListener,
  answering: WeakMap<Duplex, ServerResponse>,
  refuse: Refuse,
): RequestListener {
  const refused = new WeakSet<Socket>()
  const isReadable = hostReader()
  return (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request
    // Node goes on reading: what came in one piece with a refused request is left alone.
    if (refused.has(socket)) return
    answering.set(socket, response)
    response.once('close', () => answering.delete(socket))
    const error = ambiguity(request, isReadable(request.headers.host))
    if (!error) return handle(request, response)
    refused.add(socket)
    const { status, headers, body } = closing(refuse(error))
    response.writeHead(status, headers)
    response.end(body)
  }
}

/** Answered and closed: what follows on this connection may be meant for somebody else. */
function closing({ status, headers, body }: ReturnType<Refuse>) {
  const length = String(Buffer.byteLength(body))
  return { status, body, headers: { ...headers, Connection: 'close', 'Content-Length': length } }
}

/** What Node's parser refused never became a request: it is answered as any other refusal is. */
export function refuseUnread(error: NodeJS.ErrnoException, socket: Duplex, refuse: Refuse): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const { status, headers, body } = closing(refuse(unread(error)))
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  socket.end(
    [`HTTP/1.1 ${status} ${reasons[status] ?? 'Bad Request'}`, ...lines, '', body].join('\r\n'),
  )
}

const reasons: Readonly<Record<number, string>> = { 400: 'Bad Request', 413: 'Content Too Large' }

/** https://nodejs.org/api/http.html#event-clienterror */
function unread({ code }: NodeJS.ErrnoException): ServiceError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ServiceError('request_too_large', `Headers have at most ${headerBytesMax} bytes`)
  }
  const isLate = code === 'ERR_HTTP_REQUEST_TIMEOUT'
  const message = isLate ? 'The request did not arrive in time' : 'This is no HTTP/1.1 request'
  return new ServiceError('malformed_request', message)
}
