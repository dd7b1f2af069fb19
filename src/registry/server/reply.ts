import type { RefusalCode } from './refusal.ts'

/** An answer before it is one: whole, so that it is sent in one piece. */
export type Reply = {
  readonly status: number
  /** Null where HTTP allows none. */
  readonly body: string | null
  readonly headers: Readonly<Record<string, string>>
  /** For the log: `ok`, or what was refused. */
  readonly code: 'ok' | RefusalCode
}

/** What Contentful's management API answers, errors included. */
export const contentfulType = 'application/vnd.contentful.management.v1+json'

export function entityReply(status: 200 | 201, value: object): Reply {
  const headers = { 'Content-Type': contentfulType }
  return { status, body: JSON.stringify(value), headers, code: 'ok' }
}

export const noContent: Reply = { status: 204, body: null, headers: {}, code: 'ok' }

export function toResponse({ status, body, headers }: Reply, requestId: string): Response {
  return new Response(body, {
    status,
    headers: { 'Cache-Control': 'no-store', 'X-Contentful-Request-Id': requestId, ...headers },
  })
}
