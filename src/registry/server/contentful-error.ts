import { type ErrorCode, toServiceError } from '../../errors.ts'
import type { Issue, PlainRefusalCode, Refusal, RefusalCode } from './refusal.ts'
import { contentfulType, type Reply } from './reply.ts'

/**
 * Contentful's status, `sys.id` and words for each; what its table lacks has the nearest id of it.
 * https://www.contentful.com/developers/docs/references/errors/
 */
const answers: Record<RefusalCode, readonly [status: number, id: string, message: string]> = {
  body_malformed: [400, 'BadRequest', 'The body is not one JSON value with unique, plain names.'],
  body_too_large: [413, 'BadRequest', 'The body is too large.'],
  body_of_other_type: [
    415,
    'BadRequest',
    'Send Content-Type: application/vnd.contentful.management.v1+json or application/json.',
  ],
  request_ambiguous: [400, 'BadRequest', 'Send a path, one valid Host, and each header once.'],
  query_invalid: [400, 'InvalidQuery', 'The query has only skip and limit, two small numbers.'],
  key_pair_in_use: [400, 'BadRequest', 'The key pair is already in use.'],
  token_invalid: [
    401,
    'AccessTokenInvalid',
    'The access token you sent could not be found or is invalid.',
  ],
  role_too_small: [403, 'AccessDenied', 'Forbidden'],
  slots_full: [403, 'AccessDenied', 'Forbidden'],
  not_found: [404, 'NotFound', 'The resource could not be found.'],
  jwk_invalid: [422, 'ValidationFailed', 'Validation error'],
  rate_exceeded: [429, 'RateLimitExceeded', 'The access token has exceeded its rate limit.'],
  internal_error: [500, 'ServerError', 'Something went wrong on the server.'],
  unavailable: [503, 'ServerError', 'The registry cannot use its database.'],
  deadline_exceeded: [504, 'ServerError', 'The deadline passed before the answer was ready.'],
}

/** The only place that knows both what went wrong and what Contentful calls it. */
export function refusalReply(refusal: Refusal, requestId: string): Reply & { body: string } {
  const { code } = refusal
  const [status, id, message] = answers[code]
  const details = detailsOf(refusal)
  return {
    status,
    body: JSON.stringify({ sys: { type: 'Error', id }, message, ...details, requestId }),
    headers: {
      'Content-Type': contentfulType,
      // The body was not read: what comes next on this connection would be its rest.
      ...(unread.has(code) ? { Connection: 'close' } : {}),
      ...(code === 'token_invalid' ? { 'WWW-Authenticate': 'Bearer' } : {}),
      ...(refusal.code === 'rate_exceeded' ? resetAfter(refusal.retryAfterMs) : {}),
    },
    code,
  }
}

/** Whatever was thrown. What nobody expected is a bug, and says nothing outside. */
export function refusalOf(thrown: unknown): Refusal {
  return { code: byErrorCode[toServiceError(thrown).code] ?? 'internal_error' }
}

const unread: ReadonlySet<RefusalCode> = new Set(['token_invalid', 'body_too_large'])

const byErrorCode: Partial<Record<ErrorCode, PlainRefusalCode>> = {
  malformed_request: 'body_malformed',
  request_too_large: 'body_too_large',
  unsupported_media_type: 'body_of_other_type',
  store_unavailable: 'unavailable',
  deadline_exceeded: 'deadline_exceeded',
}

function detailsOf(refusal: Refusal): object {
  switch (refusal.code) {
    case 'slots_full':
      return { details: { reasons: 'Usage exceeded.' } }
    case 'role_too_small':
      return { details: { reasons: 'The token may only read.' } }
    case 'jwk_invalid':
      return { details: { errors: refusal.issues.map(errorOf) } }
    default:
      return {}
  }
}

function errorOf({ path, message }: Issue): object {
  return { name: 'invalid', path, details: message }
}

/** Whole seconds: https://www.contentful.com/developers/docs/references/content-management-api/ */
function resetAfter(ms: number): Readonly<Record<string, string>> {
  const seconds = String(Math.max(1, Math.ceil(ms / 1_000)))
  return { 'X-Contentful-RateLimit-Reset': seconds, 'Retry-After': seconds }
}

/** For what two readers may read differently: it never reaches the application. */
export function ambiguityReply(requestId: string): Reply & { body: string } {
  const reply = refusalReply({ code: 'request_ambiguous' }, requestId)
  const headers = { 'Cache-Control': 'no-store', 'X-Contentful-Request-Id': requestId }
  return { ...reply, headers: { ...headers, ...reply.headers } }
}
