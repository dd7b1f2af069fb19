import type { Clock } from '../../src/lib/clock.ts'

/** Time that passes only when a test says so. */
export type ManualClock = Clock & {
  advance(ms: number): void
  /** Sets the wall clock, and it alone, as a time server does. */
  step(ms: number): void
}

export function manualClock(startMs = 1_800_000_000_000): ManualClock {
  let passedMs = 0
  let steppedMs = 0
  return {
    now: () => startMs + passedMs + steppedMs,
    monotonicMs: () => passedMs,
    advance: (ms) => {
      passedMs += ms
    },
    step: (ms) => {
      steppedMs += ms
    },
  }
}
