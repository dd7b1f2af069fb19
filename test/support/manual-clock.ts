import type { Clock } from '../../src/lib/clock.ts'

/** Time that passes only when a test says so. */
export function manualClock(startMs = 1_800_000_000_000): Clock & { advance(ms: number): void } {
  let passedMs = 0
  return {
    now: () => startMs + passedMs,
    monotonicMs: () => passedMs,
    advance: (ms) => {
      passedMs += ms
    },
  }
}
