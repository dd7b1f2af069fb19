import { z } from 'zod'
import { type ErrorCode, ServiceError } from '../../src/errors.ts'
import { readRetryAfter } from '../../src/lib/retry-after.ts'
import { ReplacedCredential } from '../../src/signing/signer.ts'

export type KmsAction =
  | 'CreateKey'
  | 'DescribeKey'
  | 'DisableKey'
  | 'GenerateMac'
  | 'GetParametersForImport'
  | 'GetPublicKey'
  | 'ImportKeyMaterial'
  | 'ListKeys'
  | 'ListResourceTags'
  | 'Sign'

/** The remedy is for operators. */
type Answer = readonly [code: ErrorCode, words: string, remedy?: string]

const badCredentials = [
  'vault_denied',
  'The vault does not accept the credentials: check them, and the clock',
] as const
const denied: Answer = ['vault_denied', 'The vault denied the request']
const noCredentials: Answer = ['vault_denied', 'No credentials for the vault can be found']
const strayEndpoint: Answer = [
  noCredentials[0],
  noCredentials[1],
  'the shared AWS configuration file has an endpoint_url that is not AWS’s own; remove it, or name a profile without one',
]
const throttled: Answer = ['vault_throttled', 'The vault is throttling']
const unavailable = ['vault_unavailable', 'The vault cannot be reached'] as const
const noSuchKey: Answer = ['vault_key_unusable', 'The vault has no such key']

/**
 * By the error's `name`: many have no class of their own. What is not here is `vault_unavailable`: KMS's
 * faults of its own, resets, timeouts, and what came in place of an answer, like a proxy's HTML.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html#API_Sign_Errors
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html#API_CreateKey_Errors
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html#API_ImportKeyMaterial_Errors
 * https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
 */
const answers: Readonly<Record<string, Answer>> = {
  AccessDenied: denied,
  AccessDeniedException: denied,
  NotAuthorized: denied,
  OptInRequired: denied,
  LimitExceededException: ['vault_denied', 'The vault takes no more keys: raise its quota'],

  CredentialsProviderError: noCredentials,
  StrayEndpoint: strayEndpoint,
  TokenProviderError: noCredentials,
  ExpiredToken: badCredentials,
  ExpiredTokenException: badCredentials,
  IncompleteSignature: badCredentials,
  IncompleteSignatureException: badCredentials,
  InvalidClientTokenId: badCredentials,
  InvalidSignatureException: badCredentials,
  MissingAuthenticationToken: badCredentials,
  MissingAuthenticationTokenException: badCredentials,
  RequestExpired: badCredentials,
  SignatureDoesNotMatch: badCredentials,
  UnrecognizedClientException: badCredentials,

  RequestLimitExceeded: throttled,
  RequestThrottledException: throttled,
  ThrottledException: throttled,
  Throttling: throttled,
  ThrottlingException: throttled,
  TooManyRequestsException: throttled,

  DisabledException: ['vault_key_unusable', 'The key is disabled'],
  ExpiredImportTokenException: [
    'vault_unavailable',
    'The vault’s wrapping key has expired meanwhile: run it again',
  ],
  IncorrectKeyMaterialException: [
    'vault_key_unusable',
    'The vault does not take this material into the key',
  ],
  InvalidArnException: noSuchKey,
  InvalidCiphertextException: ['vault_key_unusable', 'The vault cannot unwrap what was imported'],
  InvalidImportTokenException: [
    'vault_key_unusable',
    'The vault made its wrapping key for another key',
  ],
  InvalidKeyUsageException: ['vault_key_unusable', 'The key is not for this algorithm'],
  KMSInvalidStateException: ['vault_key_unusable', 'The key is in no state to sign'],
  NotFoundException: noSuchKey,
  UnsupportedOperationException: ['vault_key_unusable', 'The vault cannot do this with the key'],
  ValidationException: ['vault_key_unusable', 'The vault cannot do this with the key'],
}

/**
 * Whose source may have others by now: an expired session, a key that is no more. What is wrong with a clock or
 * a signature is no fault of theirs.
 * https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
 */
const endedCredentials: readonly string[] = [
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
]

export function isEndedCredential(error: unknown): boolean {
  return error instanceof Error && endedCredentials.includes(error.name)
}

/** What the SDK keeps of an answer that was an error. */
const errorAnswer = z.object({
  $response: z.object({ headers: z.object({ 'retry-after': z.string().optional() }) }),
})

/** An operator is told which permission is missing, a caller no more than that something was denied. */
export type Reader = 'operator' | 'caller'

/** As one of ours. What the vendor said, ARNs and account ids in it, stands in the cause alone. */
export function kmsError(action: KmsAction, cause: unknown, reader: Reader): ServiceError {
  if (cause instanceof ServiceError) return cause
  if (cause instanceof ReplacedCredential) return new ServiceError(...badCredentials, { cause })
  const name = cause instanceof Error ? cause.name : ''
  const answer = (Object.hasOwn(answers, name) ? answers[name] : undefined) ?? unavailable
  const [code, words, ownRemedy] = answer
  const remedy = answer === denied ? `allow kms:${action}` : ownRemedy
  const message = remedy !== undefined && reader === 'operator' ? `${words}: ${remedy}` : words
  const { $response } = errorAnswer.safeParse(cause).data ?? {}
  const retryAfterMs = readRetryAfter($response?.headers['retry-after'])
  const isLate =
    retryAfterMs !== undefined && (code === 'vault_throttled' || code === 'vault_unavailable')
  return new ServiceError(code, message, { cause, details: isLate ? { retryAfterMs } : {} })
}

/** For a key that is not what it has to be. Which one it is stands in the cause. */
export function keyUnusable(words: string, resource: string): ServiceError {
  return new ServiceError('vault_key_unusable', words, { cause: new Error(resource) })
}

/** For an answer in which what was asked cannot be read: no word of the vault's about the key. */
export function noAnswer(part: string): ServiceError {
  return new ServiceError(...unavailable, { cause: new Error(`an answer without ${part}`) })
}

/** For an answer that is not one to what was asked. */
export function wrongAnswer(words: string, answered: unknown): ServiceError {
  return new ServiceError('signature_invalid', words, { cause: new Error(String(answered)) })
}
