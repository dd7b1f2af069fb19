import type { ProblemCode } from '../errors.ts'

/** An answer before it is one: whole, so that it is sent in one piece. */
export type Reply = {
  readonly status: number
  readonly body: string
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  /** For the log: `ok`, or what the problem says. */
  readonly code: 'ok' | ProblemCode
  /** The version that signed, for the log. */
  readonly version?: number
}

export function jsonReply(value: object, extra: Partial<Reply> = {}): Reply {
  const body = JSON.stringify(value)
  return { status: 200, body, contentType: 'application/json', headers: {}, code: 'ok', ...extra }
}

/** One value and a newline. */
export function textReply(text: string, extra: Partial<Reply> = {}): Reply {
  const contentType = 'text/plain; charset=utf-8'
  return { status: 200, body: `${text}\n`, contentType, headers: {}, code: 'ok', ...extra }
}

export function toResponse(reply: Reply, requestId: string): Response {
  return new Response(reply.body, {
    status: reply.status,
    headers: {
      'Content-Type': reply.contentType,
      'Cache-Control': 'no-store',
      'X-Request-Id': requestId,
      ...reply.headers,
    },
  })
}
