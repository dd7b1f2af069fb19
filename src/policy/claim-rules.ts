import type { Json, JsonObject } from '../lib/json.ts'

export type Scalar = string | number | boolean

/** Exact matches only: no patterns, no negative rules (patterns widen). */
export type ClaimCheck =
  | { readonly kind: 'const'; readonly value: Scalar }
  | { readonly kind: 'oneOf'; readonly values: readonly Scalar[] }
  /** Ends in a terminator, so that `tenant:1` cannot pass for `tenant:12`'s prefix. */
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'text'; readonly charactersMax: number }
  /** Must equal an attribute of the authenticated caller. */
  | { readonly kind: 'fromCaller'; readonly attribute: string }

export type ClaimRule = {
  readonly claim: string
  readonly optional: boolean
  readonly check: ClaimCheck
}

/** What authentication proved about the caller, by name. */
export type CallerAttributes = Readonly<Record<string, Scalar>>

/**
 * The name of the first rule that fails, in declared order, then of the first claim that no rule
 * lists; undefined when all hold. The order is part of the API.
 */
export function failedRule(
  rules: readonly ClaimRule[],
  claims: JsonObject,
  caller: CallerAttributes,
): string | undefined {
  for (const { claim, optional, check } of rules) {
    if (!Object.hasOwn(claims, claim)) {
      if (optional) continue
      return `${claim}.required`
    }
    if (!holds(check, claims[claim], caller)) return `${claim}.${check.kind}`
  }
  const unlisted = Object.keys(claims).find((name) => rules.every(({ claim }) => claim !== name))
  return unlisted === undefined ? undefined : `${unlisted}.unlisted`
}

function holds(check: ClaimCheck, value: Json | undefined, caller: CallerAttributes): boolean {
  switch (check.kind) {
    case 'const':
      return value === check.value
    case 'oneOf':
      return check.values.some((allowed) => value === allowed)
    case 'prefix':
      return typeof value === 'string' && value.startsWith(check.prefix)
    case 'text':
      return typeof value === 'string' && value.length <= check.charactersMax
    case 'fromCaller':
      return Object.hasOwn(caller, check.attribute) && value === caller[check.attribute]
  }
}
