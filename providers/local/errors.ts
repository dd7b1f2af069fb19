import { type ErrorCode, ServiceError, toServiceError } from '../../src/errors.ts'
import { errnoOf, type FileFault } from '../../src/lib/file.ts'

/**
 * The answers that waiting does not cure; all others are `vault_unavailable`.
 * https://nodejs.org/api/errors.html#common-system-errors
 */
const codeByErrno: Readonly<Record<string, ErrorCode>> = {
  EACCES: 'vault_denied',
  EPERM: 'vault_denied',
  EROFS: 'vault_denied',
}

/** For what the operating system refused; `words` name no path. A bug stays `internal_error`. */
export function systemError(words: string, cause: unknown): ServiceError {
  const errno = errnoOf(cause)
  if (cause instanceof ServiceError || errno === undefined) return toServiceError(cause)
  return new ServiceError(codeOf(errno), `${words} (${errno})`, { cause })
}

/** The message may reach a caller; which file it is about stands in the cause alone. */
export function keyUnusable(words: string, resource: string, cause?: unknown): ServiceError {
  return new ServiceError('vault_key_unusable', words, { cause: new Error(resource, { cause }) })
}

/** For a sealed file, or the directory around it, that is not trusted or cannot be read. */
export function faultError(subject: string, fault: FileFault): ServiceError {
  const isUnreadable = fault.kind === 'unreadable'
  const code = isUnreadable ? codeOf(errnoOf(fault.cause)) : 'vault_key_unusable'
  const cause = new Error(fault.remedy, { cause: fault.cause })
  return new ServiceError(code, `${subject} ${fault.words}`, { cause })
}

function codeOf(errno: string | undefined): ErrorCode {
  return codeByErrno[errno ?? ''] ?? 'vault_unavailable'
}
