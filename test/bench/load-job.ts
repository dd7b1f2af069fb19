import { z } from 'zod'

/** What the load generator is told on stdin. */
export const loadJob = z.strictObject({
  port: z.int(),
  /** One whole request, sent again and again as it stands. */
  request: z.string(),
  /** Whose CPU is counted. */
  serverPid: z.int(),
  connections: z.int().positive(),
  warmUpMs: z.number(),
  measureMs: z.number(),
  /** Open loop: requests start on a schedule. Without it each connection sends when it is answered. */
  ratePerSecond: z.number().positive().optional(),
})
export type LoadJob = z.infer<typeof loadJob>

/** What it prints. */
export const loadResult = z.strictObject({
  /** Good answers in the measured time. */
  requests: z.int(),
  /** Anything else, at any time: another status, a broken connection, no answer. */
  errors: z.int(),
  /** What the first error was. */
  failure: z.string().optional(),
  perSecond: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
  serverCpuUs: z.number(),
  generatorCpuUs: z.number(),
  /** Open loop: how late the generator itself was, which stands in the latencies too. */
  lateP50Ms: z.number().optional(),
})
export type LoadResult = z.infer<typeof loadResult>
