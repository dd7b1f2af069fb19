/** One second's worth of tokens, and at least one. */
export type TokenBucket = {
  readonly tokens: number
  /** Monotonic. */
  readonly filledAtMs: number
}

export type BucketAnswer =
  | { readonly verdict: 'allow'; readonly bucket: TokenBucket }
  | { readonly verdict: 'refuse'; readonly bucket: TokenBucket; readonly retryAfterMs: number }

/** A token, less what fractions lose in adding up: whoever waited as told must be let through. */
const oneToken = 1 - 1e-9

/**
 * Pure, with the clock passed in, which no rate-limiting library offers. Refused requests count:
 * each takes its token too, down to a debt of one bucket, so that hammering does not pay.
 */
export function takeToken(
  bucket: TokenBucket | undefined,
  perSecond: number,
  nowMs: number,
): BucketAnswer {
  const capacity = Math.max(1, perSecond)
  const elapsedMs = bucket ? Math.max(0, nowMs - bucket.filledAtMs) : 0
  const filled = Math.min(capacity, (bucket?.tokens ?? capacity) + (elapsedMs * perSecond) / 1_000)
  const tokens = Math.max(-capacity, filled - 1)
  const next = { tokens, filledAtMs: nowMs }
  if (filled >= oneToken) return { verdict: 'allow', bucket: next }
  return {
    verdict: 'refuse',
    bucket: next,
    retryAfterMs: Math.ceil(((oneToken - tokens) / perSecond) * 1_000),
  }
}
