import { type ProblemCode, problemCodes, ServiceError, toServiceError } from '../errors.ts'
import type { Reply } from './reply.ts'

/** The only place that knows both what went wrong and what HTTP calls it (CONTRACT §1.4). */
export const problems: Record<ProblemCode, readonly [status: number, title: string]> = {
  malformed_request: [400, 'The request is malformed'],
  two_credentials: [400, 'Two credentials were sent'],
  wrong_purpose: [400, 'The key has another purpose'],
  malformed_signing_input: [400, 'The signing input is malformed'],
  claim_not_allowed: [400, 'The service sets this claim'],
  looks_like_jwt: [400, 'The message is a JWS signing input'],
  unauthenticated: [401, 'A credential is needed'],
  operation_not_granted: [403, 'The operation is not granted'],
  claims_refused: [403, 'A rule refused the claims'],
  suspended: [403, 'Signing is suspended'],
  version_revoked: [403, 'The key version is revoked'],
  key_not_found: [404, 'No such key'],
  no_public_key: [404, 'The key has no public half'],
  not_found: [404, 'Nothing is here'],
  method_not_allowed: [405, 'The method is not allowed here'],
  version_not_active: [409, 'The key version does not sign now'],
  request_too_large: [413, 'The request is too large'],
  message_too_large: [413, 'The message is too large'],
  unsupported_media_type: [415, 'The media type is not supported'],
  rate_limited: [429, 'The limit is reached'],
  internal_error: [500, 'Something went wrong'],
  signature_invalid: [502, 'The vault answered a bad signature'],
  vault_unavailable: [503, 'The vault cannot be reached'],
  vault_throttled: [503, 'The vault is throttling'],
  vault_denied: [503, 'The vault denied the request'],
  vault_key_unusable: [503, 'The key cannot be used in its vault'],
  audit_unavailable: [503, 'The audit record could not be written'],
  issuer_unavailable: [503, 'The issuer of the token cannot be asked'],
  no_active_version: [503, 'The key has no version that signs'],
  overloaded: [503, 'The service is overloaded'],
  draining: [503, 'The service is stopping'],
  deadline_exceeded: [504, 'The deadline passed'],
}

/** Whatever was thrown, as an answer. What no answer may carry becomes `internal_error`. */
export function problemReply(thrown: unknown, requestId: string): Reply {
  const error = toServiceError(thrown)
  const code = isProblemCode(error.code) ? error.code : 'internal_error'
  const [status, title] = problems[code]
  const { retryAfterMs, allow, ...members } = code === error.code ? error.details : {}
  const detail = code === error.code ? error.message : title
  const type = `urn:chancery:problem:${code}`
  return {
    status,
    body: JSON.stringify({ type, title, status, detail, code, requestId, ...members }),
    contentType: 'application/problem+json',
    headers: {
      ...(allow === undefined ? {} : { Allow: allow }),
      // The body was not read: what comes next on this connection would be its rest.
      ...(unreadCodes.has(code) ? { Connection: 'close' } : {}),
      ...(code === 'unauthenticated' ? { 'WWW-Authenticate': 'Bearer' } : {}),
      ...(retryAfterMs === undefined
        ? {}
        : { 'Retry-After': String(Math.ceil(retryAfterMs / 1_000)) }),
    },
    code,
  }
}

const unreadCodes: ReadonlySet<string> = new Set(['unauthenticated', 'request_too_large'])

const known: ReadonlySet<string> = new Set(problemCodes)

function isProblemCode(code: ServiceError['code']): code is ProblemCode {
  return known.has(code)
}
