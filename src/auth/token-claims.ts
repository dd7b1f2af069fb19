import type { JWTPayload } from 'jose'
import type { AuthenticationFailure } from './caller.ts'

/** What a caller's tokens must say; every member must hold. */
export type TokenRules = {
  readonly audience: string
  readonly algorithms: readonly string[]
  /** By claim name, or by JSON Pointer (RFC 6901) when it begins with `/`. At least one. */
  readonly match: Readonly<Record<string, string | number | boolean>>
  readonly lifetimeSecondsMax: number
}

/** Clocks of issuers and ours (CONTRACT §1.3). */
export const clockToleranceSeconds = 5

/**
 * Why a token, whose signature, issuer and expiry are good, is not of these rules; undefined when it
 * is. Nothing is a pattern: a value is equal, or it is not.
 */
export function failedTokenRule(
  rules: TokenRules,
  {
    alg,
    claims,
    nowMs,
  }: { readonly alg: string; readonly claims: JWTPayload; readonly nowMs: number },
): AuthenticationFailure | undefined {
  if (!rules.algorithms.includes(alg)) return 'algorithm_not_listed'
  if (!isFor(claims.aud, rules.audience)) return 'wrong_audience'
  const { iat, exp } = claims
  if (!isTime(iat) || !isTime(exp)) return 'malformed'
  if (claims.nbf !== undefined && !isTime(claims.nbf)) return 'malformed'
  if (iat > Math.floor(nowMs / 1_000) + clockToleranceSeconds) return 'not_yet_valid'
  if (exp - iat > rules.lifetimeSecondsMax) return 'lives_too_long'
  const matches = Object.entries(rules.match).every(
    ([name, value]) => valueOf(claims, name) === value,
  )
  return matches ? undefined : 'no_caller_matches'
}

/** Whole seconds; the type is only what the library says of it. */
function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value)
}

/** A token for others too could be sent here by any of them. */
function isFor(audience: unknown, expected: string): boolean {
  const [only, ...others] = Array.isArray(audience) ? audience : [audience]
  return only === expected && others.length === 0
}

/** Own members only, so that no claim is found on a prototype. */
function valueOf(claims: JWTPayload, name: string): unknown {
  const path = name.startsWith('/') ? pointerTokens(name) : [name]
  return path.reduce<unknown>(
    (at, member) =>
      typeof at === 'object' && at !== null && !Array.isArray(at) && Object.hasOwn(at, member)
        ? Reflect.get(at, member)
        : undefined,
    claims,
  )
}

function pointerTokens(pointer: string): readonly string[] {
  const tokens = pointer.slice(1).split('/')
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}
