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
  const filled = filledAt(bucket, perSecond, nowMs)
  const tokens = Math.max(-capacityOf(perSecond), filled - 1)
  return answer({ filled, tokens, needed: oneToken }, perSecond, nowMs)
}

/**
 * As `takeToken`, for what many share: a refused request takes nothing, since it is not the others’ doing,
 * and what there is would else be spent on refusals.
 *
 * @param tokens that the request takes, at once: one of more than the bucket holds needs a full one, and
 *   leaves it in debt.
 */
export function shareToken(
  bucket: TokenBucket | undefined,
  perSecond: number,
  nowMs: number,
  tokens = 1,
): BucketAnswer {
  const filled = filledAt(bucket, perSecond, nowMs)
  const needed = Math.min(tokens, capacityOf(perSecond)) * oneToken
  const left = filled >= needed ? filled - tokens : filled
  return answer({ filled, tokens: left, needed }, perSecond, nowMs)
}

function capacityOf(perSecond: number): number {
  return Math.max(1, perSecond)
}

function filledAt(bucket: TokenBucket | undefined, perSecond: number, nowMs: number): number {
  const capacity = capacityOf(perSecond)
  const elapsedMs = bucket ? Math.max(0, nowMs - bucket.filledAtMs) : 0
  return Math.min(capacity, (bucket?.tokens ?? capacity) + (elapsedMs * perSecond) / 1_000)
}

/** @param filled before this request, `tokens` after it; it needed `needed`. */
function answer(
  {
    filled,
    tokens,
    needed,
  }: { readonly filled: number; readonly tokens: number; readonly needed: number },
  perSecond: number,
  nowMs: number,
): BucketAnswer {
  const bucket = { tokens, filledAtMs: nowMs }
  if (filled >= needed) return { verdict: 'allow', bucket }
  const retryAfterMs = Math.ceil(((needed - tokens) / perSecond) * 1_000)
  return { verdict: 'refuse', bucket, retryAfterMs }
}
