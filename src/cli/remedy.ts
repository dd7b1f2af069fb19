import { z } from 'zod'
import { type ErrorCode, ServiceError, toServiceError } from '../errors.ts'

/**
 * What an operator is told of a failure: its message, what to do, and the cause by its code alone. HTTP sends
 * the message and nothing of this.
 */
export function remedied(thrown: unknown): string {
  const { code, message, cause } = toServiceError(thrown)
  const ofCode = byCode[code]
  if (ofCode === undefined) return message
  const causes = causesOf(cause)
  const hasRemedy = message.replace(ofVersion, '').includes(': ')
  const remedy =
    causes.map(remedyOf).find((one) => one !== undefined) ??
    [message, ...causes.map(({ words }) => words)]
      .map((words) => own(byWords, words))
      .find((one) => one !== undefined) ??
    (hasRemedy ? undefined : ofCode)
  const [shown] = causes.flatMap(shownCode)
  const advice = remedy === undefined ? '' : `${hasRemedy ? '; ' : ': '}${remedy}`
  return `${message}${advice}${shown === undefined || message.includes(shown) ? '' : ` (${shown})`}`
}

/** What stands before a message that is about one version. */
const ofVersion = /^\S+@\d+: /

/** Of vaults alone: other failures say themselves what to do. */
const byCode: Partial<Record<ErrorCode, string>> = {
  vault_denied: 'check the credentials or permissions by which it is used',
  vault_key_unusable: 'put this right in the vault, or replace the version by rotate --now',
  vault_throttled: 'try again in a while, or have its quota raised',
  vault_unavailable: 'try again; if it goes on, look at the vault and at the way to it',
  deadline_exceeded: 'try again; if it goes on, look at the vault and at the way to it',
}

/** Where the cause has no code that tells more than ours; the words are of the providers' tables. */
const byWords: Readonly<Record<string, string>> = {
  'No credentials for the vault can be found':
    'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile in `credentials`, or run where a role is attached',
  'The key is in another region': 'use a vault of that region for it',
  'The key is going to be deleted':
    'cancel its deletion and enable it in the vault, or replace the version by rotate --now',
  'The key has expired': 'give it a later end in the vault, or replace the version by rotate --now',
  'The key is disabled': 'enable it in the vault, or replace the version by rotate --now',
  'The key is not for this algorithm':
    'name a key of this algorithm, or replace the version by rotate --now',
  'The key is in no state to sign':
    'enable it in the vault, cancel its deletion, or replace the version by rotate --now',
  'The vault does not accept the credentials: check them, and the clock':
    'the vault has to be of the account or tenant that they are of',
  'The vault has no such key':
    'check the region or URL of the vault, the account that the credentials are of, and whether it was deleted there',
  'The vault takes no requests from this network':
    'let this network through the vault’s firewall, or use its private endpoint',
}

const expired = 'they have expired: renew them where they come from'
const clock = 'set the clock of this host by NTP, and if it is right, check the secret'
const unknownAccessKey =
  'the access key is unknown to the vault, or of another partition of its cloud'
const otherRegion =
  'its endpoint is of another region than its configuration says; correct region or endpoint'
const refused =
  'nothing listens at the vault’s address; check the region, URL or endpoint in its configuration'
const unresolved =
  'the vault’s name is not known; check the region, URL or endpoint in its configuration, and DNS'
const noRoute =
  'no way leads to the vault; check routes, proxies and firewalls between this host and the vault'
const late =
  'the vault did not answer in time; check routes, proxies and firewalls between this host and the vault'
const brokenOff =
  'the connection was ended; check proxies and firewalls between this host and the vault'
const untrusted =
  'the vault’s TLS certificate is not trusted; check the address and what stands before the vault, and name a private authority in NODE_EXTRA_CA_CERTS'
const otherName =
  'the vault’s TLS certificate is for another name; check the region, URL or endpoint in its configuration'
const outOfTime =
  'the vault’s TLS certificate is not valid at this time; check the clock of this host'
const noTls =
  'the vault speaks no TLS that we take; check the endpoint, and what stands before the vault'

/**
 * By the code or the name of a cause.
 * https://nodejs.org/api/errors.html#common-system-errors
 * https://nodejs.org/api/tls.html#x509-certificate-error-codes
 * https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
const byCause: Readonly<Record<string, string>> = {
  ECONNREFUSED: refused,
  ENOTFOUND: unresolved,
  EAI_AGAIN: unresolved,
  EHOSTUNREACH: noRoute,
  ENETUNREACH: noRoute,
  ETIMEDOUT: late,
  TimeoutError: late,
  ECONNRESET: brokenOff,
  EPIPE: brokenOff,

  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_UNTRUSTED: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: otherName,
  CERT_HAS_EXPIRED: outOfTime,
  CERT_NOT_YET_VALID: outOfTime,
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,

  ExpiredToken: expired,
  ExpiredTokenException: expired,
  InvalidClientTokenId: unknownAccessKey,
  UnrecognizedClientException: unknownAccessKey,
  InvalidSignatureException: clock,
  RequestExpired: clock,
  SignatureDoesNotMatch: clock,

  AADSTS700016: 'its clientId is not of an application in this tenant',
  AADSTS700024: 'set the clock of this host by NTP',
  AADSTS700027: 'its certificate has expired, or was not added to the application',
  AADSTS90002: 'its tenantId is of no tenant in this cloud',
}

type Cause = { readonly codes: readonly string[]; readonly words: string }

const errorLike = z.object({
  name: z.string().catch(''),
  code: z.string().catch(''),
  message: z.string().catch(''),
  cause: z.unknown().optional(),
})

/** How deep the errors of credential classes are nested, and ours around them. */
const causesMax = 6

function causesOf(thrown: unknown): readonly Cause[] {
  const causes: Cause[] = []
  let at = thrown
  while (causes.length < causesMax) {
    const error = errorLike.safeParse(at).data
    if (!error) break
    const codes = at instanceof ServiceError ? [] : [error.code, error.name]
    causes.push({ codes, words: error.message })
    at = error.cause
  }
  return causes
}

/**
 * Of a request that is signed for another region, where the code is that of every signature that does not fit.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
 */
const isOfOtherRegion = /^Credential should be scoped to a valid region\b/i

/** Classes of credentials hand a code on in their words alone. */
function remedyOf({ codes, words }: Cause): string | undefined {
  if (isOfOtherRegion.test(words)) return otherRegion
  const named = [...codes, ...words.split(/\W+/)]
  return named.map((name) => own(byCause, name)).find((one) => one !== undefined)
}

/** A code, and no words: those are of hosts, accounts and tenants. */
function shownCode({ codes, words }: Cause): readonly string[] {
  const known = words.split(/\W+/).filter((word) => own(byCause, word) !== undefined)
  return [...known, ...codes]
    .filter((code) => /^\w{3,48}$/.test(code) && !plain.has(code))
    .slice(0, 1)
}

/** Names that say nothing. */
const plain: ReadonlySet<string> = new Set([
  'AggregateError',
  'Error',
  'ReplacedCredential',
  'RestError',
  'SyntaxError',
  'TypeError',
  'REQUEST_SEND_ERROR',
])

function own(table: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
