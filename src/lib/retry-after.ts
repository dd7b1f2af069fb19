/**
 * A vault counts in seconds: whoever wants more is no vault, but a proxy with reasons of its own, and must not
 * keep us from it for an hour.
 */
const believedMsMax = 300_000

/**
 * The header's seconds (RFC 9110 §10.2.3), as milliseconds; undefined for none, and for what is not believed.
 * Its other form, an instant, is not read: neither vendor sends it, and their clocks are not ours.
 */
export function readRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined || !/^0*[1-9]\d{0,8}$/.test(header)) return undefined
  const ms = Number(header) * 1_000
  return ms <= believedMsMax ? ms : undefined
}
