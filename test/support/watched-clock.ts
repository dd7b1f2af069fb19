import { ClockWatch } from '../../src/lib/clock-watch.ts'
import { manualClock } from './manual-clock.ts'

/** A clock in the test's hands, and what others have said of it: nothing yet. */
export function watchedClock() {
  const clock = manualClock()
  return { clock, clocks: new ClockWatch(clock) }
}
