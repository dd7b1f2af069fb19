/** Everything that the registry refuses, in our words. */
export type RefusalCode =
  | 'body_malformed'
  | 'body_too_large'
  | 'body_of_other_type'
  | 'query_invalid'
  | 'request_ambiguous'
  | 'key_pair_in_use'
  | 'token_invalid'
  | 'role_too_small'
  | 'slots_full'
  | 'not_found'
  | 'jwk_invalid'
  | 'rate_exceeded'
  | 'internal_error'
  | 'unavailable'
  | 'deadline_exceeded'

/** What is wrong with a JWK: where, and which rule; never a value that was sent. */
export type Issue = { readonly path: readonly string[]; readonly message: string }

/** Of which nothing more is to be said. */
export type PlainRefusalCode = Exclude<RefusalCode, 'jwk_invalid' | 'rate_exceeded'>

export type Refusal =
  | { readonly code: PlainRefusalCode }
  | { readonly code: 'jwk_invalid'; readonly issues: readonly Issue[] }
  | { readonly code: 'rate_exceeded'; readonly retryAfterMs: number }
