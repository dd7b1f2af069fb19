/** The one source of time; everything else takes `now` or a `Clock` as an argument. */
export interface Clock {
  /** Wall clock: epoch milliseconds. For instants that people and verifiers see. */
  now(): number
  /** Never steps, and is shared by all threads of the process: for durations and windows. */
  monotonicMs(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
}

/** RFC 3339 with milliseconds and Z. */
export function instant(epochMs: number): string {
  return new Date(epochMs).toISOString()
}
