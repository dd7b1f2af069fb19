import type { AuditLog } from '../audit/log.ts'
import type { Caller } from '../auth/caller.ts'
import { ServiceError, toServiceError } from '../errors.ts'
import type { Purpose } from '../keys/key.ts'
import type { Clock } from '../lib/clock.ts'
import { decide, type Grants } from '../policy/decide.ts'
import type { Grant, Operation } from '../policy/grant.ts'

export type AuthorizeDeps = {
  readonly grants: Grants
  readonly audit: Pick<AuditLog, 'noteDenial'>
  readonly clock: Clock
}

/** Who asks for what. */
export type Asked = {
  /** Ours, a ulid. */
  readonly request: string
  readonly callerRequest: string | undefined
  readonly caller: Caller
  readonly key: string
  readonly operation: Operation
  /** What the form of the request needs of the key; reading needs nothing. */
  readonly purpose: Purpose | undefined
}

/**
 * Decides before anything about the key is looked up, then runs the checks that depend on it. Every
 * refusal on the way is noted in the audit.
 *
 * @throws {ServiceError} `key_not_found`, `wrong_purpose`, `operation_not_granted`, or what `checks` threw.
 */
export function authorize<T>(deps: AuthorizeDeps, asked: Asked, checks: (grant: Grant) => T): T {
  try {
    return checks(granted(deps.grants, asked))
  } catch (error) {
    noteDenial(deps, asked, toServiceError(error))
    throw error
  }
}

/** @throws {ServiceError} `key_not_found`, `wrong_purpose`, `operation_not_granted`. */
export function granted(
  grants: Grants,
  { caller, key, operation, purpose }: Pick<Asked, 'caller' | 'key' | 'operation' | 'purpose'>,
): Grant {
  const decision = decide(grants, { caller: caller.name, key, operation, purpose })
  switch (decision.verdict) {
    case 'allow':
      return decision.grant
    case 'hide':
      throw new ServiceError('key_not_found', 'No such key')
    case 'refuse':
      throw new ServiceError(decision.code, refusals[decision.code])
  }
}

const refusals = {
  wrong_purpose:
    'The key has another purpose: jwt keys sign claims and signingInput, bytes keys sign message and digest',
  operation_not_granted: 'The grant on this key does not allow the operation',
} as const

/** Not awaited: an answer never waits for the record of its refusal. */
export function noteDenial(
  { audit, clock }: AuthorizeDeps,
  { request, callerRequest, caller, key, operation }: Asked,
  { code, details }: ServiceError,
): void {
  const rule = recordedRule(details.rule)
  const at = clock.now()
  audit.noteDenial({
    type: 'denial',
    at,
    request,
    callerRequest,
    caller: caller.name,
    key,
    operation,
    code,
    rule,
    count: 1,
  })
}

/** The name of a claim that no rule lists is the caller's text: kept for ever, it could be anything. */
function recordedRule(rule: string | undefined): string | undefined {
  return rule?.endsWith('.unlisted') ? 'unlisted' : rule
}
