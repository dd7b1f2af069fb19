import { z } from 'zod'
import { ServiceError } from '../errors.ts'
import { decodeUtf8 } from '../lib/bytes.ts'
import { parseJson } from '../lib/json.ts'
import type { Secret } from '../lib/secret.ts'

/** https://www.contentful.com/developers/docs/references/content-management-api/#/reference/app-keys */
const contentType = 'application/vnd.contentful.management.v1+json'

const answerBytesMax = 1_048_576

/** More keys than any app may have. */
const pageSize = 100

/** One app's keys over HTTP; whoever holds the token may do nothing else with this. */
export interface AppKeyApi {
  list(signal: AbortSignal): Promise<unknown>
  /** `refused` may still turn out to be there: whoever asks twice is told that it exists. */
  create(
    jwk: object,
    signal: AbortSignal,
  ): Promise<
    { readonly verdict: 'created' } | { readonly verdict: 'refused'; readonly error: ServiceError }
  >
  /** A key that is not there is removed. */
  remove(kid: string, signal: AbortSignal): Promise<void>
}

export type AppKeyAddress = {
  /** `http://127.0.0.1:8490` */
  readonly url: string
  readonly organization: string
  readonly app: string
  /** Read for each request. */
  readonly token: () => Promise<Secret>
}

/** @throws {ServiceError} `registry_*`, from every method; what the registry said is the cause. */
export function appKeyApi({ url, organization, app, token }: AppKeyAddress): AppKeyApi {
  const base = `${url.replace(/\/$/, '')}/organizations/${encodeURIComponent(organization)}/app_definitions/${encodeURIComponent(app)}/keys`
  const ask = async (method: string, path: string, signal: AbortSignal, body?: object) => {
    const headers = {
      Accept: contentType,
      Authorization: `Bearer ${decodeUtf8((await token()).reveal())}`,
      ...(body && { 'Content-Type': contentType }),
    }
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    return answerOf(`${base}${path}`, { method, headers, redirect: 'error', signal, ...sent })
  }
  return {
    async list(signal) {
      const answer = await ask('GET', `?limit=${pageSize}`, signal)
      if (answer.status === 200) return answer.body
      throw failure(answer)
    },
    async create(jwk, signal) {
      const answer = await ask('POST', '', signal, { jwk })
      if (answer.status === 201) return { verdict: 'created' }
      const error = failure(answer)
      if (error.code === 'registry_refused') return { verdict: 'refused', error }
      throw error
    },
    async remove(kid, signal) {
      const answer = await ask('DELETE', `/${encodeURIComponent(kid)}`, signal)
      if (answer.status === 204) return
      if (answer.status === 404 && answer.name === 'NotFound') return
      throw failure(answer)
    },
  }
}

type Answer = {
  readonly status: number
  readonly body: unknown
  /** Contentful's name of an error: `sys.id`. */
  readonly name: string | undefined
  readonly reasons: string
  readonly retryAfterMs: number | undefined
}

const errorBody = z.object({
  sys: z.object({ id: z.string() }),
  message: z.string().optional(),
  details: z.unknown().optional(),
})

/** @throws {ServiceError} `registry_unavailable` for whatever is no answer. */
async function answerOf(url: string, init: RequestInit): Promise<Answer> {
  try {
    const response = await fetch(url, init)
    const text = await readText(response)
    const { status, headers } = response
    const body = jsonOrNothing(text)
    const error = status >= 400 ? errorBody.safeParse(body).data : undefined
    return {
      status,
      body,
      name: error?.sys.id,
      reasons: [error?.message, JSON.stringify(error?.details)].filter(Boolean).join(' '),
      retryAfterMs: resetMs(headers.get('x-contentful-ratelimit-reset')),
    }
  } catch (cause) {
    init.signal?.throwIfAborted()
    throw new ServiceError('registry_unavailable', 'The registry cannot be reached', { cause })
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
    if (length > answerBytesMax) throw new Error(`more than ${answerBytesMax} bytes`)
    chunks.push(chunk)
  }
  return decodeUtf8(Buffer.concat(chunks))
}

/** https://www.contentful.com/developers/docs/references/content-management-api/#/introduction/api-rate-limits: in seconds. */
function resetMs(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : undefined
}

/**
 * https://www.contentful.com/developers/docs/references/errors/: by the name of the error, else by
 * the status; what a proxy says in between is no word of the registry's.
 */
function failure(answer: Answer): ServiceError {
  const { status, name, reasons, retryAfterMs } = answer
  const cause = new Error(`${status} ${name ?? 'without a name'}: ${reasons.slice(0, 500)}`)
  if (status === 429) {
    const message = 'The registry limits its rate: run again later'
    return new ServiceError('registry_unavailable', message, {
      cause,
      details: { retryAfterMs: retryAfterMs ?? 1_000 },
    })
  }
  if (status === 403 && /usage exceeded/i.test(reasons)) {
    const message = 'The app has no free key slot: see `chancery keys show` for what takes them'
    return new ServiceError('registry_refused', message, { cause })
  }
  if (status === 401 || status === 403) {
    const message = 'The registry does not accept our token for this: check tokenFile and its role'
    return new ServiceError('registry_denied', message, { cause })
  }
  const words = name === undefined ? undefined : refusals[name]
  if (words !== undefined) return new ServiceError('registry_refused', words, { cause })
  return new ServiceError('registry_unavailable', `The registry answered ${status}`, { cause })
}

const refusals: Readonly<Record<string, string>> = {
  BadRequest:
    'The registry has this key pair for another app: delete it there, or let a new version be made',
  ValidationFailed: 'The registry does not take this key',
  NotFound: 'The registry has no such app: correct organization and app in the configuration',
}
