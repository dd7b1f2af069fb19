/** Every problem that the service names: https://www.rfc-editor.org/rfc/rfc9457, member `code`. */
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

/** What goes wrong on this side, or with whoever answers in the service's place. */
export type LocalCode =
  /** An option, or a credential that is no single line of visible characters. */
  | 'bad_option'
  /** `credential()` failed; its error is the cause. */
  | 'credential_unavailable'
  /** `timeoutMs` passed. */
  | 'timed_out'
  /** No connection, or one that broke; the system's error is the cause. */
  | 'unreachable'
  /** A redirection: no credential is sent anywhere but to `url`. */
  | 'redirected'
  /** An answer of another shape, or too long. */
  | 'unexpected_answer'
  /** The registry did not give a token for our JWT. */
  | 'token_refused'

export type ChanceryErrorCode = (typeof problemCodes)[number] | LocalCode

/** The members that some problems add. */
export type ProblemMembers = {
  /** `claims_refused`: `sub.prefix`, `maxLifetime` … */
  readonly rule?: string
  /** `claim_not_allowed` */
  readonly claim?: string
  /** `version_not_active`: the `kid` to put into the header of a signing input. */
  readonly activeKid?: string
  /** `malformed_request` */
  readonly issues?: readonly { readonly path: string; readonly message: string }[]
}

/** The only error of this package but an `AbortSignal`'s own reason. It never holds a credential. */
export class ChanceryError extends Error {
  override readonly name = 'ChanceryError'
  readonly code: ChanceryErrorCode
  /** Of the HTTP answer; undefined when there was none. */
  readonly status: number | undefined
  /** What the service's log and audit know the request by. */
  readonly requestId: string | undefined
  readonly problem: ProblemMembers

  constructor(
    code: ChanceryErrorCode,
    message: string,
    about: {
      readonly status?: number
      readonly requestId?: string | undefined
      readonly problem?: ProblemMembers
      readonly cause?: unknown
    } = {},
  ) {
    const asked = about.requestId === undefined ? '' : ` (request ${about.requestId})`
    super(
      `${code}: ${message}${asked}`,
      about.cause === undefined ? undefined : { cause: about.cause },
    )
    this.code = code
    this.status = about.status
    this.requestId = about.requestId
    this.problem = about.problem ?? {}
  }
}
