import { hash } from 'node:crypto'
import { errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose'
import { ServiceError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { type ExpiringCache, expiringCache } from '../lib/expiring-cache.ts'
import type { AuthenticationFailure, Authenticator, Caller, Proof } from './caller.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import { readUnverified } from './token.ts'
import { clockToleranceSeconds, failedTokenRule, type TokenRules } from './token-claims.ts'

export type OidcCaller = TokenRules & { readonly name: string; readonly issuer: string }

/** How long a good token is not looked at again; a key withdrawn by its issuer is honoured so long. */
const cachedMsMax = 60_000

const cachedTokensMax = 4_096

export type OidcDeps = {
  readonly callers: readonly OidcCaller[]
  /** The keys of each issuer that a caller names. */
  readonly keysOf: ReadonlyMap<string, IssuerKeys>
  readonly clock: Clock
}

/**
 * OpenID Connect tokens as RFC 7519 and RFC 9068 have them: the issuer is matched before anything is
 * fetched, the algorithm is one that its callers list, and exactly one caller must match.
 */
export function oidcAuthenticator({ callers, keysOf, clock }: OidcDeps): Authenticator<string> {
  const byIssuer = Map.groupBy(callers, ({ issuer }) => issuer)
  const good: ExpiringCache<Caller> = expiringCache(cachedTokensMax)
  return {
    async authenticate(token, signal) {
      const id = hash('sha256', token, 'base64url')
      const known = good.get(id, clock.monotonicMs())
      if (known) return { caller: known }

      const unverified = readUnverified(token)
      if (!unverified) return { refused: 'malformed' }
      const { alg, issuer } = unverified
      const candidates = byIssuer.get(issuer)
      const keys = keysOf.get(issuer)
      if (!candidates || !keys) return { refused: 'unknown_issuer' }

      const nowMs = clock.now()
      const algorithms = [...new Set(candidates.flatMap((caller) => caller.algorithms))]
      const verified = await verify(token, { keys, issuer, algorithms, nowMs, signal })
      if ('refused' in verified) return verified
      const { claims } = verified
      const proof = onlyMatch(candidates, { alg, claims, nowMs })
      if ('caller' in proof) {
        good.set(id, proof.caller, clock.monotonicMs() + cachedMs(claims, nowMs))
      }
      return proof
    },
  }
}

/** Counted by the clock that never steps: a wall clock set back must not keep a token. */
function cachedMs({ exp = 0 }: JWTPayload, nowMs: number): number {
  return Math.min(exp * 1_000 - nowMs, cachedMsMax)
}

type Verification = {
  readonly keys: IssuerKeys
  readonly issuer: string
  readonly algorithms: readonly string[]
  readonly nowMs: number
  readonly signal: AbortSignal
}

async function verify(
  token: string,
  { keys, issuer, algorithms, nowMs, signal }: Verification,
): Promise<{ readonly claims: JWTPayload } | { readonly refused: AuthenticationFailure }> {
  const keyFor: JWTVerifyGetKey = async (header) => {
    const key = await keys.find(header, signal)
    if (!key) throw new errors.JWKSNoMatchingKey()
    return key
  }
  try {
    const { payload } = await jwtVerify(token, keyFor, {
      algorithms: [...algorithms],
      issuer,
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(nowMs),
      requiredClaims: ['aud', 'exp', 'iat'],
    })
    return { claims: payload }
  } catch (error) {
    if (error instanceof ServiceError || !(error instanceof errors.JOSEError)) throw error
    return { refused: reasonOf(error) }
  }
}

/** https://github.com/panva/jose/blob/main/docs/util/errors/README.md */
function reasonOf(error: errors.JOSEError): AuthenticationFailure {
  if (error instanceof errors.JWTExpired) return 'expired'
  if (error instanceof errors.JWKSNoMatchingKey) return 'unknown_signing_key'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'bad_signature'
  if (error instanceof errors.JOSEAlgNotAllowed) return 'algorithm_not_listed'
  const isOfTime = error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf'
  return isOfTime && error.reason === 'check_failed' ? 'not_yet_valid' : 'malformed'
}

/** Two callers for one token would make it a matter of order who is asking. */
function onlyMatch(
  candidates: readonly OidcCaller[],
  token: Parameters<typeof failedTokenRule>[1],
): Proof {
  const failures = candidates.map((caller) => failedTokenRule(caller, token))
  const [matching, ...others] = candidates.filter((_, i) => failures[i] === undefined)
  if (others.length > 0) return { refused: 'two_callers_match' }
  if (!matching) return { refused: common(failures) ?? 'no_caller_matches' }
  const { name, match } = matching
  return { caller: { name, attributes: { ...match, name } } }
}

/** What one caller's rules miss says nothing of the others'. */
function common<T>([first, ...others]: readonly T[]): T | undefined {
  return others.every((other) => other === first) ? first : undefined
}
