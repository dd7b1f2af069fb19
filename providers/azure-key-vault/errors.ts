import { z } from 'zod'
import { type ErrorCode, ServiceError } from '../../src/errors.ts'
import { readRetryAfter } from '../../src/lib/retry-after.ts'
import { ReplacedCredential } from '../../src/signing/signer.ts'

/** Data actions of a role: https://learn.microsoft.com/azure/role-based-access-control/permissions/security#microsoftkeyvault */
export type VaultAction =
  | 'create/action'
  | 'import/action'
  | 'read'
  | 'sign/action'
  | 'update/action'
  | 'write'

type Answer = readonly [code: ErrorCode, words: string]

const badCredentials: Answer = [
  'vault_denied',
  'The vault does not accept the credentials: check them, and the clock',
]
const denied: Answer = ['vault_denied', 'The vault denied the request']
const noCredentials: Answer = [
  'vault_denied',
  'No token for the vault can be had: check its credential',
]
const otherNetwork: Answer = ['vault_denied', 'The vault takes no requests from this network']
const throttled: Answer = ['vault_throttled', 'The vault is throttling']
const unavailable: Answer = ['vault_unavailable', 'The vault cannot be reached']
const noSuchKey: Answer = ['vault_key_unusable', 'The vault has no such key']
const deletedName: Answer = [
  'vault_key_unusable',
  'A deleted key still has this name: recover it, or purge it',
]

/**
 * By the inner code, else by the code. What is not here is `vault_unavailable`: the vault's faults of its
 * own, resets, timeouts, and what came in place of an answer, like a proxy's HTML.
 * https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
 * https://learn.microsoft.com/rest/api/keyvault/keys/sign/sign#keyvaulterror
 */
const answers: Readonly<Record<string, Answer>> = {
  AccessDenied: denied,
  Forbidden: denied,
  ForbiddenByPolicy: denied,
  ForbiddenByRbac: denied,
  ForbiddenByConnection: otherNetwork,
  ForbiddenByFirewall: otherNetwork,

  Unauthorized: badCredentials,

  Throttled: throttled,
  TooManyRequests: throttled,

  KeyDisabled: ['vault_key_unusable', 'The key is disabled'],
  KeyExpired: ['vault_key_unusable', 'The key has expired'],
  KeyNotYetValid: ['vault_key_unusable', 'The key is not valid yet'],
  KeyNotFound: noSuchKey,
  ObjectIsBeingDeleted: deletedName,
  ObjectIsDeletedButRecoverable: deletedName,
  BadParameter: ['vault_key_unusable', 'The vault cannot do this with the key'],
  KeyOperationForbidden: ['vault_key_unusable', 'The key is not for this algorithm'],
}

/** Where an answer has no code of the vault's: something before it has answered. */
const statuses: Readonly<Record<number, Answer>> = {
  401: badCredentials,
  403: denied,
  429: throttled,
}

/** An operator is told which permission is missing, a caller no more than that something was denied. */
export type Reader = 'operator' | 'caller'

/** The SDK's `RestError`, as far as it is looked at. */
const restError = z.object({
  statusCode: z.number().optional(),
  code: z.string().optional(),
  details: z
    .object({
      error: z
        .object({ innerError: z.object({ code: z.string().optional() }).optional() })
        .optional(),
    })
    .optional(),
  response: z.object({ headers: z.custom<Headers>(hasGet) }).optional(),
})

/** As one of ours. What the vendor said, URLs and tenants in it, stands in the cause alone. */
export function azureError(action: VaultAction, cause: unknown, reader: Reader): ServiceError {
  if (cause instanceof ServiceError) return cause
  if (cause instanceof ReplacedCredential) {
    return new ServiceError(...badCredentials, { cause })
  }
  const { statusCode = 0, code = '', details, response } = restError.safeParse(cause).data ?? {}
  const inner = details?.error?.innerError?.code ?? ''
  const answer = answerTo(inner) ?? answerTo(code) ?? statuses[statusCode] ?? unavailable
  const [errorCode, words] = answer
  const message =
    answer === denied && reader === 'operator'
      ? `${words}: allow Microsoft.KeyVault/vaults/keys/${action}`
      : words
  const header = response?.headers.get('retry-after')
  const retryAfterMs = readRetryAfter(typeof header === 'string' ? header : undefined)
  const canHelp = errorCode === 'vault_throttled' || errorCode === 'vault_unavailable'
  return new ServiceError(errorCode, message, {
    cause,
    details: canHelp && retryAfterMs !== undefined ? { retryAfterMs } : {},
  })
}

/** The SDK's own, which is an object of a class. */
type Headers = { get(name: string): unknown }

function hasGet(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'get' in value
}

function answerTo(code: string): Answer | undefined {
  return Object.hasOwn(answers, code) ? answers[code] : undefined
}

/** The vault's own word that it has no such key or version; for whoever wants it gone, or has seen it a moment ago. */
export function isMissing(error: unknown): boolean {
  if (!(error instanceof ServiceError)) return false
  const { statusCode, code } = restError.safeParse(error.cause).data ?? {}
  return statusCode === 404 && code === 'KeyNotFound'
}

/** For a challenge that asks for a token that is good elsewhere. */
export function foreignScope(scopes: readonly string[]): ServiceError {
  const cause = new Error(`a token for ${scopes.join(' ')}`)
  return new ServiceError(...badCredentials, { cause })
}

/** Its own words are of tenants, applications and hosts: they stand in the cause alone. */
export function tokenError(cause: unknown): ServiceError {
  if (cause instanceof ServiceError) return cause
  const [code, words] = isOutage(cause) ? unavailable : noCredentials
  return new ServiceError(code, words, { cause })
}

/** MSAL's codes for an authority that cannot be reached, and the pipeline's for a request that was not answered. */
const outages: readonly string[] = [
  'endpoints_resolution_error',
  'network_error',
  'no_network_connectivity',
  'request_timeout',
  'server_error',
  'temporarily_unavailable',
  'REQUEST_SEND_ERROR',
]

const caused = z.object({
  name: z.string().optional(),
  code: z.string().optional(),
  errorCode: z.string().optional(),
  message: z.string().optional(),
  cause: z.unknown().optional(),
})

/** How deep errors of the credential classes are nested. */
const causesMax = 5

function isOutage(thrown: unknown): boolean {
  let at: unknown = thrown
  for (let depth = 0; depth < causesMax; depth += 1) {
    const error = caused.safeParse(at).data
    if (!error) return false
    const [, said = ''] = /^(\w+):/.exec(error.message ?? '') ?? [] // MSAL's errors begin with their code
    if ([error.errorCode, error.code, said].some((code = '') => outages.includes(code))) return true
    at = error.cause
  }
  return false
}

/** For a key that is not what it has to be. Which one it is stands in the cause. */
export function keyUnusable(words: string, resource: string): ServiceError {
  return new ServiceError('vault_key_unusable', words, { cause: new Error(resource) })
}

/** For an answer that is not one to what was asked. */
export function wrongAnswer(words: string, answered: unknown): ServiceError {
  return new ServiceError('signature_invalid', words, { cause: new Error(String(answered)) })
}
