import { z } from 'zod'

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

/** As members of a configuration. */
export const durationMs = z
  .string()
  .refine(
    (text) => parseDurationMs(text) !== undefined,
    'a duration is a number with s, m, h or d, like 30s',
  )
  .transform((text) => parseDurationMs(text) ?? 0)

export const ratePerSecond = z
  .string()
  .refine(
    (text) => parseRatePerSecond(text) !== undefined,
    'a rate is a number per s or m, like 20/s',
  )
  .transform((text) => parseRatePerSecond(text) ?? 0)
