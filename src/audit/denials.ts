import type { Denial } from './records.ts'

/** Recorded one by one for a caller, key and code in one second; the rest are counted. */
const perSecondMax = 10
export const denialWindowMs = 1_000

type Window = { readonly startedAt: number; written: number; held: number; last: Denial }

/** Lets denials out one by one up to a rate, and what comes above it as one record with a count. */
export class DenialCounter {
  readonly #write: (denial: Denial) => void
  readonly #windows = new Map<string, Window>()

  constructor(write: (denial: Denial) => void) {
    this.#write = write
  }

  count(denial: Denial): void {
    this.release(denial.at)
    const { caller, key, code } = denial
    // Only what the configuration bounds: a caller that makes up key names fills no memory.
    const name = code === 'key_not_found' ? `${caller} ${code}` : `${caller} ${key} ${code}`
    const window = this.#windows.get(name) ?? {
      startedAt: denial.at,
      written: 0,
      held: 0,
      last: denial,
    }
    this.#windows.set(name, window)
    if (window.written < perSecondMax) {
      window.written += 1
      this.#write(denial)
    } else {
      window.held += 1
      window.last = denial
    }
  }

  /** Whether anything is held back that `release` has yet to write. */
  get isHolding(): boolean {
    return this.#windows.values().some(({ held }) => held > 0)
  }

  /** Writes the counts of the windows that are over at `now`; `Infinity` for all. */
  release(now: number): void {
    for (const [name, { startedAt, held, last }] of this.#windows) {
      if (now - startedAt < denialWindowMs) continue
      this.#windows.delete(name)
      if (held > 0) this.#write({ ...last, count: held })
    }
  }
}
