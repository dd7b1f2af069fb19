/** Every problem that an HTTP answer can name. Stable: callers and runbooks match on them. */
export const problemCodes = [
  'malformed_request',
  'two_credentials',
  'wrong_purpose',
  'malformed_signing_input',
  'claim_not_allowed',
  'looks_like_jwt',
  'unauthenticated',
  'operation_not_granted',
  'claims_refused',
  'suspended',
  'version_revoked',
  'key_not_found',
  'no_public_key',
  'not_found',
  'method_not_allowed',
  'request_too_large',
  'message_too_large',
  'unsupported_media_type',
  'version_not_active',
  'rate_limited',
  'signature_invalid',
  'vault_unavailable',
  'vault_throttled',
  'vault_denied',
  'vault_key_unusable',
  'audit_unavailable',
  'issuer_unavailable',
  'no_active_version',
  'overloaded',
  'draining',
  'deadline_exceeded',
  'internal_error',
] as const
export type ProblemCode = (typeof problemCodes)[number]

/** What only commands meet; no HTTP answer carries these. */
const commandCodes = [
  'config_invalid',
  'usage',
  'refused',
  'store_unavailable',
  'store_mismatch',
  'registry_unavailable',
  'registry_denied',
  'registry_refused',
  'clock_wrong',
] as const

export const errorCodes = [...problemCodes, ...commandCodes] as const
export type ErrorCode = (typeof errorCodes)[number]

/** What a problem document or a log line may add: the members that CONTRACT §1.4 names. */
export type ErrorDetails = {
  readonly issues?: readonly { readonly path: string; readonly message: string }[]
  readonly claim?: string
  readonly rule?: string
  readonly activeKid?: string
  readonly retryAfterMs?: number
  /** The methods that a path has. */
  readonly allow?: string
}

/**
 * The one error class. `message` may reach a caller: it names nothing internal (no resource,
 * host, vendor text or another caller). `cause` is for the log and never leaves.
 */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly details?: ErrorDetails } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
  }
}

/** Whatever was thrown, as one of ours: what nobody mapped is a bug, and says nothing outside. */
export function toServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error
  return new ServiceError('internal_error', 'Something went wrong in the service', { cause: error })
}
