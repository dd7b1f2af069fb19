/** How far our clock is from another one, by one exchange of request and answer. */
export type Skew = {
  /** Milliseconds that ours is ahead; negative where it is behind. */
  readonly aheadMs: number
  /** It may be so much more, or less. */
  readonly uncertaintyMs: number
}

export type Exchange = {
  /** By our clock, epoch milliseconds. */
  readonly sentAt: number
  readonly answeredAt: number
  /** The time between the two, by the monotonic clock. */
  readonly tookMs: number
  /** The answer's `Date`. */
  readonly date: string | undefined
  /** The answer's `Age`. */
  readonly age: string | undefined
}

/** From good to bad. */
const verdicts = ['fine', 'warn', 'refuse'] as const
export type ClockVerdict = (typeof verdicts)[number]

const warnMs = 30_000
const refuseMs = 120_000

/** A `Date` has whole seconds: the instant is somewhere in this one. */
const halfSecondMs = 500

/**
 * The `Date` was written at some moment between request and answer, so that it is compared with the middle
 * of these. A clock that was set meanwhile, and a machine that slept, make that time long, and the skew
 * uncertain.
 *
 * @returns undefined where nothing can be said: no `Date` of RFC 9110 §5.6.7, one that a cache kept
 *   (RFC 9111 §5.1), or an exchange too long to tell a good clock from a bad one.
 */
export function skewOf({ sentAt, answeredAt, tookMs, date, age }: Exchange): Skew | undefined {
  const theirs = date === undefined ? undefined : parseDate(date)
  if (theirs === undefined || isKept(age)) return undefined
  const uncertaintyMs = Math.max(tookMs, Math.abs(answeredAt - sentAt)) / 2 + halfSecondMs
  if (uncertaintyMs > warnMs) return undefined
  return { aheadMs: (sentAt + answeredAt) / 2 - (theirs + halfSecondMs), uncertaintyMs }
}

/**
 * Worse only when it is sure to be, and better only when it is: near a limit nothing goes back and forth.
 *
 * @param before what was found the last time; `fine` where nothing was.
 */
export function verdictAfter(before: ClockVerdict, { aheadMs, uncertaintyMs }: Skew): ClockVerdict {
  const least = rank(Math.abs(aheadMs) - uncertaintyMs)
  const most = rank(Math.abs(aheadMs) + uncertaintyMs)
  const found = Math.min(Math.max(verdicts.indexOf(before), least), most)
  return verdicts[found] ?? 'fine'
}

function rank(distanceMs: number): number {
  if (distanceMs >= refuseMs) return verdicts.indexOf('refuse')
  return verdicts.indexOf(distanceMs >= warnMs ? 'warn' : 'fine')
}

/** The one form that is sent today, and that JavaScript writes itself; epoch milliseconds. */
function parseDate(header: string): number | undefined {
  const at = Date.parse(header)
  return Number.isFinite(at) && new Date(at).toUTCString() === header ? at : undefined
}

function isKept(age: string | undefined): boolean {
  return age !== undefined && !/^0+$/.test(age)
}
