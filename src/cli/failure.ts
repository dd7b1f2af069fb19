import { type ErrorCode, ServiceError, toServiceError } from '../errors.ts'
import type { Output } from './output.ts'
import { remedied } from './remedy.ts'

/** CONTRACT §3. */
export const exitCodes = {
  done: 0,
  bug: 1,
  usage: 2,
  refused: 3,
  partial: 4,
  unavailable: 5,
  invariantViolated: 6,
} as const

const byCode: Partial<Record<ErrorCode, number>> = {
  usage: exitCodes.usage,
  config_invalid: exitCodes.usage,
  malformed_request: exitCodes.usage,
  request_too_large: exitCodes.usage,
  store_mismatch: exitCodes.usage,
  refused: exitCodes.refused,
  registry_refused: exitCodes.refused,
  clock_wrong: exitCodes.refused,
  registry_unavailable: exitCodes.unavailable,
  registry_denied: exitCodes.unavailable,
  store_unavailable: exitCodes.unavailable,
  audit_unavailable: exitCodes.unavailable,
  vault_unavailable: exitCodes.unavailable,
  vault_throttled: exitCodes.unavailable,
  vault_denied: exitCodes.unavailable,
  vault_key_unusable: exitCodes.unavailable,
  signature_invalid: exitCodes.unavailable,
  deadline_exceeded: exitCodes.unavailable,
  overloaded: exitCodes.unavailable,
}

export function exitCodeOf(error: unknown): number {
  return byCode[toServiceError(error).code] ?? exitCodes.bug
}

/** What must be seen first: a bug is not hidden behind a registry that is down. */
const bySeverity: readonly number[] = [
  exitCodes.invariantViolated,
  exitCodes.bug,
  exitCodes.usage,
  exitCodes.refused,
  exitCodes.unavailable,
]

/** Of several failures the worst; of none `done`. */
export function worstExitCodeOf(errors: readonly unknown[]): number {
  const codes = new Set(errors.map(exitCodeOf))
  return bySeverity.find((code) => codes.has(code)) ?? exitCodes.done
}

/**
 * Says what went wrong and what to do, on stderr; with `--json` as a document on stdout too.
 *
 * @returns the exit code.
 */
export function fail(output: Output, thrown: unknown): number {
  const error = toServiceError(thrown)
  const issues = error.details.issues ?? []
  output.progress(`chancery: ${remedied(error)}`)
  for (const { path, message } of issues) output.progress(`  ${path}: ${message}`)
  if (!isExpected(error)) output.progress(String(causeOf(error)))
  if (output.json) output.text(errorDocument(error))
  return exitCodeOf(error)
}

/** What `--json` prints of a failure. */
export function errorDocument(error: ServiceError): string {
  const { code, details } = error
  return JSON.stringify({ error: { code, message: remedied(error), issues: details.issues ?? [] } })
}

/** What a command prints of one failure among several: `message` says what to do. */
export function problemOf(error: unknown): { readonly code: ErrorCode; readonly message: string } {
  return { code: toServiceError(error).code, message: remedied(error) }
}

/** A bug shows where it is; everything else has said what to do. */
function isExpected({ code }: ServiceError): boolean {
  return code !== 'internal_error'
}

function causeOf({ cause }: ServiceError): unknown {
  return cause instanceof Error ? cause.stack : cause
}
