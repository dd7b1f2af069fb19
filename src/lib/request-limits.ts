import { z } from 'zod'
import { durationMs, ratePerSecond } from './duration.ts'

/** What a configuration may say of anything that is reached over a network. */
export const requestLimits = {
  /** Of one request with everything that belongs to it, another try included; milliseconds. */
  deadline: durationMs.default(2_000),
  /** Requests at once; more wait for a place. */
  concurrency: z.int().min(1).max(1_024).default(64),
  /** Signatures a second; without one, whatever the other side takes. */
  quota: ratePerSecond.optional(),
} as const

/** The same of what is on this host: it needs none of them, and takes each. */
export const localLimits = {
  deadline: requestLimits.deadline.unwrap().optional(),
  concurrency: requestLimits.concurrency.unwrap().optional(),
  quota: requestLimits.quota,
} as const
