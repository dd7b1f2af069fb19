import type { JsonObject } from '../lib/json.ts'
import { type CallerAttributes, failedRule } from './claim-rules.ts'
import type { Grant } from './grant.ts'
import { iatSkewSecondsMax, type Profile } from './profiles.ts'

/** What a rule may look at besides the claims. */
export type JwtContext = {
  readonly profile: Profile
  readonly grant: Grant
  readonly caller: CallerAttributes
  readonly nowMs: number
  /** Whether a version of the key, in whatever state, is named so. */
  readonly isVersion: (name: unknown) => boolean
}

export type ClaimsRefusal =
  | { readonly verdict: 'refuse'; readonly code: 'claim_not_allowed'; readonly claim: string }
  | { readonly verdict: 'refuse'; readonly code: 'claims_refused'; readonly rule: string }

export type ClaimsDecision =
  | {
      readonly verdict: 'allow'
      readonly claims: JsonObject
      /** Epoch milliseconds; undefined where nothing expires. */
      readonly expiresAt: number | undefined
    }
  | ClaimsRefusal

/**
 * The claim set to sign for `claims`: what the service sets, then what the caller may add.
 *
 * @param jti used where the profile has one.
 */
export function composeClaims(
  claims: JsonObject,
  context: JwtContext,
  jti: string,
): ClaimsDecision {
  const { profile } = context
  const forbidden = profile.callerMaySendIat
    ? profile.reserved.filter((name) => name !== 'iat')
    : profile.reserved
  const claim = forbidden.find((name) => Object.hasOwn(claims, name))
  if (claim !== undefined) return { verdict: 'refuse', code: 'claim_not_allowed', claim }

  if (!profile.expires) return composeWithoutTimes(claims, context)
  const { iat: sentIat, ...others } = claims
  const rule = failedRule(context.grant.claims, others, context.caller)
  if (rule !== undefined) return refused(rule)

  const ownIat = seconds(context.nowMs) - profile.iatBackdatedSeconds
  const iat = sentIat === undefined ? ownIat : sentIat // a null was sent, and is no time
  if (!isRecent(iat, context.nowMs)) return refused('iat.skew')
  const exp = iat + lifetimeSeconds(context)
  const set = { ...profile.fixed, ...(profile.jti ? { jti } : {}), iat, exp }
  return { verdict: 'allow', claims: { ...set, ...others }, expiresAt: exp * 1_000 }
}

/**
 * Whether a signing input's own claim set is one that the service could have made: what the
 * profile sets must be there and within its rules, the rest is checked as a caller's claims are.
 */
export function checkClaims(claims: JsonObject, context: JwtContext): ClaimsDecision {
  const { profile } = context
  if (!profile.expires) return checkWithoutTimes(claims, context)
  for (const [name, value] of Object.entries(profile.fixed)) {
    if (!Object.hasOwn(claims, name)) return refused(`${name}.required`)
    if (claims[name] !== value) return refused(`${name}.const`)
  }
  if (profile.jti && typeof claims['jti'] !== 'string') return refused('jti.required')

  const others = withoutReserved(claims, profile)
  const rule = failedRule(context.grant.claims, others, context.caller)
  if (rule !== undefined) return refused(rule)

  const { iat, exp } = claims
  if (iat === undefined) return refused('iat.required')
  if (!isRecent(iat, context.nowMs)) return refused('iat.skew')
  if (exp === undefined) return refused('exp.required')
  const lives = typeof exp === 'number' && exp > iat && exp - iat <= lifetimeSeconds(context)
  if (!lives) return refused('maxLifetime')
  return { verdict: 'allow', claims, expiresAt: exp * 1_000 }
}

/** The claim set of a profile without times, as a caller sends it. */
function composeWithoutTimes(claims: JsonObject, { grant, caller }: JwtContext): ClaimsDecision {
  if (!grant.noExpiry) return refused('noExpiry')
  const rule = failedRule(grant.claims, claims, caller)
  if (rule !== undefined) return refused(rule)
  return { verdict: 'allow', claims, expiresAt: undefined }
}

/** The same of a signing input, which names the version that is to sign it. */
function checkWithoutTimes(claims: JsonObject, context: JwtContext): ClaimsDecision {
  const { grant, profile, isVersion } = context
  const { versionClaim } = profile
  if (!grant.noExpiry) return refused('noExpiry')
  if (versionClaim !== undefined && !isVersion(claims[versionClaim])) {
    return refused(`${versionClaim}.const`)
  }
  const decision = composeWithoutTimes(withoutReserved(claims, profile), context)
  return decision.verdict === 'allow' ? { ...decision, claims } : decision
}

function withoutReserved(claims: JsonObject, { reserved }: Profile): JsonObject {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !reserved.includes(name)))
}

/** The profile's longest life or the grant's, whichever is shorter. */
function lifetimeSeconds({ profile, grant }: JwtContext): number {
  return Math.min(profile.lifetimeSecondsMax, grant.lifetimeSecondsMax ?? Infinity)
}

function isRecent(iat: unknown, nowMs: number): iat is number {
  return typeof iat === 'number' && Math.abs(iat - seconds(nowMs)) <= iatSkewSecondsMax
}

function seconds(epochMs: number): number {
  return Math.floor(epochMs / 1_000)
}

function refused(rule: string): ClaimsRefusal {
  return { verdict: 'refuse', code: 'claims_refused', rule }
}
