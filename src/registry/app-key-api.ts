import { ServiceError } from '../errors.ts'
import { decodeUtf8 } from '../lib/bytes.ts'
import type { ExchangeTiming } from '../lib/clock-watch.ts'
import type { Secret } from '../lib/secret.ts'
import { type Answer, ask, type Question } from './app-key-answer.ts'

/** https://www.contentful.com/developers/docs/references/content-management-api/#/reference/app-keys */
const contentType = 'application/vnd.contentful.management.v1+json'

/** More keys than any app may have. */
const pageSize = 100

/** One app's keys over HTTP; whoever holds the token may do nothing else with this. */
export interface AppKeyApi {
  /** A page of them, as it was answered: there may be more. */
  list(skip: number, signal: AbortSignal): Promise<unknown>
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
  /** Read for each request: one line of visible characters. */
  readonly token: () => Promise<Secret>
  /** Undefined where nobody watches the registry's clock. */
  readonly timing?: ExchangeTiming | undefined
}

/** Both kinds count the requests of a second: what they refused, they have not done. */
const rateLimitWaitMsMax = 5_000
const rateLimitWaitsMax = 3

type Wait = (ms: number, signal: AbortSignal) => Promise<void>

/**
 * A limit of the rate is waited out, as long as there is time.
 *
 * @throws {ServiceError} `registry_*`, from every method; what the registry said is the cause.
 */
export function appKeyApi(
  { url, organization, app, token, timing }: AppKeyAddress,
  wait: Wait,
): AppKeyApi {
  const base = `${url.replace(/\/+$/, '')}/organizations/${encodeURIComponent(organization)}/app_definitions/${encodeURIComponent(app)}/keys`
  const request = async (method: Question['method'], path: string, body?: object) => {
    const headers = {
      Accept: contentType,
      Authorization: `Bearer ${decodeUtf8((await token()).reveal())}`,
      ...(body && { 'Content-Type': contentType }),
    }
    return { method, url: `${base}${path}`, headers, ...(body && { body: JSON.stringify(body) }) }
  }
  const askPatiently = async (question: Question, signal: AbortSignal): Promise<Answer> => {
    for (let waits = 0; ; waits += 1) {
      const answer = await ask(question, signal, timing)
      const { status, retryAfterMs = 1_000 } = answer
      if (status !== 429 || waits === rateLimitWaitsMax) return answer
      if (retryAfterMs > rateLimitWaitMsMax) return answer
      const isInTime = await wait(retryAfterMs, signal).then(
        () => true,
        () => false,
      )
      if (!isInTime) return answer // which says more than that the time is over
    }
  }
  return {
    async list(skip, signal) {
      const question = await request('GET', `?skip=${skip}&limit=${pageSize}`)
      const answer = await askPatiently(question, signal)
      if (answer.status === 200) return answer.body
      throw failure(question, answer)
    },
    async create(jwk, signal) {
      const question = await request('POST', '', { jwk })
      const answer = await askPatiently(question, signal)
      if (answer.status === 201) return { verdict: 'created' }
      const error = failure(question, answer)
      if (error.code === 'registry_refused') return { verdict: 'refused', error }
      throw error
    },
    async remove(kid, signal) {
      const question = await request('DELETE', `/${encodeURIComponent(kid)}`)
      const answer = await askPatiently(question, signal)
      if (answer.status === 204) return
      if (answer.status === 404 && answer.name === 'NotFound') return
      throw failure(question, answer)
    },
  }
}

/**
 * https://www.contentful.com/developers/docs/references/errors/: by status and name of the error, of
 * which only the registry knows both; what a proxy says in between is no word of the registry's.
 */
function failure({ method }: Question, answer: Answer): ServiceError {
  const { status, name, reasons, retryAfterMs = 1_000 } = answer
  const cause = new Error(`${status} ${name ?? 'without a name'}: ${reasons.slice(0, 500)}`)
  if (status === 429) {
    const message = `The registry limits its rate: run again in ${retryAfterMs / 1_000} s`
    return new ServiceError('registry_unavailable', message, { cause, details: { retryAfterMs } })
  }
  if (status === 403 && /usage exceeded/i.test(reasons)) {
    const message = 'The app has no free key slot: see `chancery keys show` for what takes them'
    return new ServiceError('registry_refused', message, { cause })
  }
  if (status === 401 || status === 403) {
    const message = 'The registry does not accept our token for this: check tokenFile and its role'
    return new ServiceError('registry_denied', message, { cause })
  }
  if (status >= 300 && status < 400) {
    const message = 'The registry redirects, and no token is sent elsewhere: correct its url'
    return new ServiceError('registry_unavailable', message, { cause })
  }
  const words = refusals[`${method} ${status} ${name}`]
  if (words !== undefined) return new ServiceError('registry_refused', words, { cause })
  return new ServiceError('registry_unavailable', `The registry answered ${status}`, { cause })
}

const noSuchApp = 'The registry has no such app: correct organization and app in the configuration'

const notWithdrawn = 'The registry does not let go of this key: delete it there by hand'

const refusals: Readonly<Record<string, string>> = {
  'DELETE 400 BadRequest': notWithdrawn,
  'DELETE 409 Conflict': notWithdrawn,
  'DELETE 422 ValidationFailed': notWithdrawn,
  'POST 400 BadRequest':
    'The registry has this key pair for another app: delete it there, or revoke this version and rotate again',
  'POST 422 ValidationFailed': 'The registry does not take this key',
  'POST 404 NotFound': noSuchApp,
  'GET 404 NotFound': noSuchApp,
}
