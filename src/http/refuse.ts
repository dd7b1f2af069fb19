import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { ServiceError } from '../errors.ts'
import { ambiguity, hostReader } from './ambiguity.ts'
import { problemReply } from './problem.ts'
import type { Reply } from './reply.ts'

export const headerBytesMax = 8_192

/** What a listener says of requests that the application never sees. */
export type Refusing = {
  readonly requestId: () => string
  readonly onRefused?: (code: Reply['code'], requestId: string) => void
}

/** Lets through what has one meaning only. */
export function guarded(
  handle: RequestListener,
  answering: WeakMap<Duplex, ServerResponse>,
  { requestId, onRefused }: Refusing,
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
    const id = requestId()
    const { body, ...head } = refusal(error, id, onRefused)
    response.writeHead(head.status, head.headers)
    response.end(body)
  }
}

/** Answered and closed: what follows on this connection may be meant for somebody else. */
function refusal(error: ServiceError, id: string, onRefused: Refusing['onRefused']) {
  const { status, body, contentType, code } = problemReply(error, id)
  onRefused?.(code, id)
  const headers = {
    'Content-Type': contentType,
    'Cache-Control': 'no-store',
    'X-Request-Id': id,
    Connection: 'close',
    'Content-Length': Buffer.byteLength(body),
  }
  return { status, headers, body }
}

/** What Node's parser refused never became a request: it is answered as any other refusal is. */
export function refuseUnread(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  { requestId, onRefused }: Refusing,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const { status, headers, body } = refusal(unread(error), requestId(), onRefused)
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
