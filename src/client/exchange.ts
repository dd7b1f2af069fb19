import { ChanceryError } from './error.ts'
import { limited, reasonOf, type Surroundings } from './surroundings.ts'

export type Question = {
  readonly method: 'GET' | 'POST'
  readonly url: string
  /** Made anew for each try: a credential may have been renewed meanwhile. */
  readonly headers: (remainingMs: number) => Promise<Readonly<Record<string, string>>>
  readonly body?: string
}

/** What somebody answered, and when: whoever keeps what it holds must know how old it is. */
export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly receivedAt: number
  readonly receivedMonotonicMs: number
}

export type Patience = {
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

const answerBytesMax = 262_144
const retriesMax = 4
const firstPauseMs = 200
const longestPauseMs = 3_000
/** So that those who were told the same second do not come back in the same millisecond. */
const spreadMs = 250

/**
 * Asks until there is an answer that is no "not now" (429, 503), within `timeoutMs` and a few tries.
 * No redirection is followed: a credential is for the place that it was given for.
 *
 * @returns the last answer, whatever its status.
 * @throws {ChanceryError} `timed_out`, `unreachable`, `redirected`, `unexpected_answer`, and what
 *   `headers` throws; the reason of `signal` when that fires.
 */
export async function exchange(
  around: Surroundings,
  question: Question,
  { timeoutMs, signal }: Patience,
): Promise<Answer> {
  const beganMs = around.monotonicMs()
  const remainingMs = () => timeoutMs - (around.monotonicMs() - beganMs)
  const limit = limited(timeoutMs, signal, () => {
    return new ChanceryError('timed_out', `There was no answer within ${timeoutMs} ms`)
  })
  try {
    for (let retry = 0; ; retry += 1) {
      const answer = await askOnce(around, question, remainingMs(), limit.signal)
      if (!isNotNow(answer) || retry === retriesMax) return answer
      const pauseMs = askedPauseMs(answer, around) ?? backOffMs(retry, around.chance())
      if (pauseMs >= remainingMs()) return answer
      await around.pause(pauseMs, limit.signal)
    }
  } finally {
    limit.cancel()
  }
}

async function askOnce(
  around: Surroundings,
  { method, url, headers, body }: Question,
  remainingMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const sent = await orAborted(headers(remainingMs), signal)
  const init = { method, headers: sent, redirect: 'manual', signal, ...(body && { body }) } as const
  try {
    const response = await around.fetch(url, init)
    const { status } = response
    if (status >= 300 && status < 400) {
      await response.body?.cancel()
      throw new ChanceryError('redirected', 'Redirections are not followed: correct the url', {
        status,
      })
    }
    const text = await readText(response)
    const received = { receivedAt: around.now(), receivedMonotonicMs: around.monotonicMs() }
    return { status, headers: response.headers, text, ...received }
  } catch (cause) {
    if (signal.aborted) throw reasonOf(signal)
    if (cause instanceof ChanceryError) throw cause
    throw new ChanceryError('unreachable', 'Nobody answers there', { cause })
  }
}

/** Whoever is asked for a credential knows nothing of our signal. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let end = () => {}
  const aborted = new Promise<never>((_, reject) => {
    end = () => reject(reasonOf(signal))
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', end)
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > answerBytesMax) {
      throw new ChanceryError('unexpected_answer', `It is longer than ${answerBytesMax} bytes`, {
        status: response.status,
      })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function isNotNow({ status }: Answer): boolean {
  return status === 429 || status === 503
}

/**
 * https://www.rfc-editor.org/rfc/rfc9110#field.retry-after: seconds, or a date. Contentful says it in
 * https://www.contentful.com/developers/docs/references/content-management-api/#/introduction/api-rate-limits
 */
function askedPauseMs(
  { headers, receivedAt }: Answer,
  { chance }: Surroundings,
): number | undefined {
  const asked = headers.get('retry-after') ?? headers.get('x-contentful-ratelimit-reset')
  if (asked === null) return undefined
  const askedMs = /^\d{1,6}$/.test(asked) ? Number(asked) * 1_000 : Date.parse(asked) - receivedAt
  return Number.isNaN(askedMs) ? undefined : Math.max(askedMs, 0) + chance() * spreadMs
}

function backOffMs(retry: number, chance: number): number {
  const longest = Math.min(firstPauseMs * 2 ** retry, longestPauseMs)
  return longest * (0.5 + chance / 2)
}
