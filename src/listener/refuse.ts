import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { ServiceError } from '../errors.ts'
import { pause } from '../lib/deadline.ts'
import { ambiguity, hostReader } from './ambiguity.ts'

export const headerBytesMax = 8_192

/** Whoever was refused has so long to read it: a socket that is destroyed at once may lose its answer. */
const lingerMs = 1_000

/** The whole answer to what the application never sees. */
export type Refuse = (error: ServiceError) => {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type Doorman = {
  /** Lets through what has one meaning only. */
  readonly guarded: (handle: RequestListener) => RequestListener
  /** For `clientError`: what Node's parser refused never became a request. */
  readonly unread: (error: NodeJS.ErrnoException, socket: Duplex) => void
  /** For `connect`: there is nothing here to connect to. */
  readonly connect: (request: IncomingMessage, socket: Duplex) => void
  /** Ends a connection without a word: a request that came with its handshake is not looked at. */
  readonly dismiss: (socket: Duplex) => void
  /** For `checkExpectation`: Node would answer 417 by itself. */
  readonly unexpected: RequestListener
}

/** One answer for each, in the form of every other; nothing that follows on the connection is read. */
export function doorman(answerOf: Refuse): Doorman {
  const answering = new WeakMap<Duplex, ServerResponse>()
  const refused = new WeakSet<Duplex>()
  const isReadable = hostReader()

  const refuse = ({ socket }: IncomingMessage, response: ServerResponse, error: ServiceError) => {
    refused.add(socket)
    const { status, headers, body } = closing(answerOf(error))
    response.writeHead(status, headers)
    response.end(body)
  }
  const refuseUnread = (socket: Duplex, error: ServiceError) => {
    refused.add(socket)
    const { status, headers, body } = closing(answerOf(error))
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    const start = `HTTP/1.1 ${status} ${reasons[status] ?? 'Bad Request'}`
    socket.end([start, ...lines, '', body].join('\r\n'))
    // Nothing else would: its timeouts are over, and its other half may stay open for ever.
    void pause(lingerMs).then(() => socket.destroy())
  }
  return {
    guarded: (handle) => (request, response) => {
      const { socket, headers } = request
      // Node goes on reading: what came with or after a refused request is left alone.
      if (refused.has(socket)) return
      answering.set(socket, response)
      response.once('close', () => {
        if (answering.get(socket) === response) answering.delete(socket)
      })
      const error = ambiguity(request, isReadable(headers.host))
      if (error) refuse(request, response, error)
      else handle(request, response)
    },
    unread(error, socket) {
      if (refused.has(socket)) return
      const unread = complaint(error)
      const last = answering.get(socket)
      if (unread && last?.req.complete) {
        // It came whole, and is answered first; what Node has closed by then needs no second answer.
        refused.add(socket)
        last.once('close', () => socket.writable && refuseUnread(socket, unread))
      } else if (unread && socket.writable && !last?.headersSent) refuseUnread(socket, unread)
      else socket.destroy()
    },
    dismiss(socket) {
      refused.add(socket)
      socket.destroy()
    },
    connect(_, socket) {
      socket.on('error', () => {}) // Node has taken its own away: a reset would end the process
      refuseUnread(socket, malformed('Nothing here can be connected to'))
    },
    unexpected(request, response) {
      if (refused.has(request.socket)) return
      refuse(request, response, malformed('Expect has only 100-continue'))
    },
  }
}

/** Answered and closed: what follows on this connection may be meant for somebody else. */
function closing({ status, headers, body }: ReturnType<Refuse>) {
  const length = String(Buffer.byteLength(body))
  return { status, body, headers: { ...headers, Connection: 'close', 'Content-Length': length } }
}

const reasons: Readonly<Record<number, string>> = { 400: 'Bad Request', 413: 'Content Too Large' }

/**
 * https://nodejs.org/api/http.html#event-clienterror: what the parser says (`HPE_…`) and its timeouts.
 * Undefined for anything else: a reset, or a TLS handshake that failed, has nobody to answer to.
 */
function complaint({ code = '' }: NodeJS.ErrnoException): ServiceError | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ServiceError('request_too_large', `Headers have at most ${headerBytesMax} bytes`)
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return malformed('The request did not arrive in time')
  return code.startsWith('HPE_') ? malformed('This is no HTTP/1.1 request') : undefined
}

function malformed(message: string): ServiceError {
  return new ServiceError('malformed_request', message)
}
