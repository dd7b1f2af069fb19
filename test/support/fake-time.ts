import { onTestFinished, vi } from 'vitest'
import { manualClock, type ManualClock } from './manual-clock.ts'

export type FakeTime = ManualClock & {
  /** Lets so much time pass for the clock and for every timer, a millisecond at a time. */
  pass(ms: number): Promise<void>
}

/** Clock and timers in the test's hands, until it ends. */
export function fakeTime(): FakeTime {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const clock = manualClock()
  return {
    ...clock,
    async pass(ms) {
      for (let passed = 0; passed < ms; passed += 1) {
        clock.advance(1)
        await vi.advanceTimersByTimeAsync(1)
      }
    },
  }
}
