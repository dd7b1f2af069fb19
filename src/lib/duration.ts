const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `30s 10m 12h 90d` in milliseconds; undefined for anything else, zero included. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^([1-9]\d{0,5})([smhd])$/.exec(text)
  if (!match) return undefined
  const [, count, unit] = match
  if (unit !== 's' && unit !== 'm' && unit !== 'h' && unit !== 'd') return undefined
  return Number(count) * unitMs[unit]
}

/** `20/s 600/m` as tokens per second; undefined for anything else, zero included. */
export function parseRatePerSecond(text: string): number | undefined {
  const match = /^([1-9]\d{0,6})\/([sm])$/.exec(text)
  if (!match) return undefined
  const [, count, unit] = match
  return Number(count) / (unit === 's' ? 1 : 60)
}
