import { z } from 'zod'
import { ServiceError } from '../errors.ts'
import { decodeUtf8 } from '../lib/bytes.ts'
import type { ExchangeTiming } from '../lib/clock-watch.ts'
import { deadline } from '../lib/deadline.ts'
import { parseJson } from '../lib/json.ts'

/** What a registry said to one request. */
export type Answer = {
  readonly status: number
  /** Undefined for what is no JSON, like a proxy's page. */
  readonly body: unknown
  /** Contentful's name of an error: `sys.id`. */
  readonly name: string | undefined
  readonly reasons: string
  readonly retryAfterMs: number | undefined
  /** How long it may be kept; 0 where the registry does not say. */
  readonly maxAgeMs: number
}

export type Question = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

const answerBytesMax = 1_048_576

/** So that one that hangs leaves time to say so, of all that a job has for a key. */
const answerMsMax = 5_000

/** https://www.contentful.com/developers/docs/references/errors/ */
const errorBody = z.object({
  sys: z.object({ id: z.string() }),
  message: z.string().optional(),
  details: z.unknown().optional(),
})

/**
 * Asks once, within a bound of time and of size, and follows no redirection: our token is for the
 * place that the configuration names.
 *
 * @param timing of the exchange, for who watches the clocks.
 * @throws {ServiceError} `registry_unavailable` for whatever is no answer.
 */
export async function ask(
  { url, ...init }: Question,
  signal: AbortSignal,
  timing?: ExchangeTiming,
): Promise<Answer> {
  using limit = deadline(answerMsMax, signal)
  const answered = timing?.()
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: limit.signal })
    answered?.(response.headers)
    return answerOf(response, await readText(response))
  } catch (cause) {
    if (cause instanceof ServiceError && cause.code === 'registry_unavailable') throw cause
    const words = limit.signal.aborted ? 'did not answer in time' : 'cannot be reached'
    throw new ServiceError('registry_unavailable', `The registry ${words}`, { cause })
  }
}

function answerOf({ status, headers }: Response, text: string): Answer {
  const body = jsonOrNothing(text)
  const error = status >= 400 ? errorBody.safeParse(body).data : undefined
  return {
    status,
    body,
    name: error?.sys.id,
    reasons: [error?.message, JSON.stringify(error?.details)].filter(Boolean).join(' '),
    retryAfterMs: resetMs(headers.get('x-contentful-ratelimit-reset')),
    maxAgeMs: maxAgeMs(headers.get('cache-control') ?? ''),
  }
}

/** A proxy's page says nothing: the status has to do. */
function jsonOrNothing(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > answerBytesMax) {
      const message = `The registry answers more than ${answerBytesMax} bytes`
      throw new ServiceError('registry_unavailable', message)
    }
    chunks.push(chunk)
  }
  return textOrNothing(Buffer.concat(chunks))
}

function textOrNothing(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes)
  } catch {
    return ''
  }
}

/** https://www.contentful.com/developers/docs/references/content-management-api/#/introduction/api-rate-limits: in seconds. */
function resetMs(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : undefined
}

/** RFC 9111 §5.2.2.1, in seconds. */
function maxAgeMs(cacheControl: string): number {
  const [, seconds = '0'] = /(?:^|[\s,])max-age="?(\d{1,9})/i.exec(cacheControl) ?? []
  return Number(seconds) * 1_000
}
