import type { StartOptions } from './chancery.ts'
import type { Edit } from './edit.ts'
import { seeded } from './seeded.ts'

/** How many seconds pass in one, from the instant at which a test began. */
const factor = 20

const variable = 'CHANCERY_CLOCK_FROM'

/** Wall clock alone: deadlines and windows are as long as they are. */
export const fastClocks = {
  'seconds pass twenty at a time': [
    {
      file: 'src/lib/clock.ts',
      from: 'now: () => Date.now(),',
      to: `now: () => Math.round(Number(process.env['${variable}']) + (Date.now() - Number(process.env['${variable}'])) * ${factor}),`,
    },
    // Others' clocks do not hurry.
    { file: 'src/lib/skew.ts', from: 'const refuseMs = 120_000', to: 'const refuseMs = Infinity' },
  ],
} satisfies Record<string, readonly Edit[]>

/** One clock for the processes of a test and for the test itself. */
export type FastClock = {
  readonly now: () => number
  /** @param mistakes in the process besides. */
  readonly started: (...mistakes: readonly string[]) => StartOptions
}

/** @param realNow epoch milliseconds, of a clock that does not hurry. */
export function fastClock(realNow: () => number): FastClock {
  const from = realNow()
  return {
    now: () => from + (realNow() - from) * factor,
    started(...mistakes) {
      const options = seeded(...Object.keys(fastClocks), ...mistakes)
      return { ...options, env: { ...options.env, [variable]: String(from) } }
    },
  }
}
