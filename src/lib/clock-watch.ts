import { ServiceError } from '../errors.ts'
import type { Clock } from './clock.ts'
import { type ClockVerdict, type Skew, skewOf, verdictAfter } from './skew.ts'

/** Who has a clock beside ours: `registry apps`, `vault aws`, by the configuration's name. */
export type ClockSource = `registry ${string}` | `vault ${string}`

/** Of a source, the last that was heard of its clock. */
export type ClockReading = Skew & {
  readonly source: ClockSource
  readonly verdict: ClockVerdict
}

export type AnswerHeaders = { get(name: string): string | null | undefined }

/** To be called when a request is sent, and what it returns with the headers of its answer. */
export type ExchangeTiming = () => (headers: AnswerHeaders) => void

/**
 * What the clocks of others say of ours, from the `Date` of each answer that they give anyway. Whose clock
 * is wrong is not known: an embedded registry on this host is wrong with it, so that one which agrees
 * excuses nothing.
 */
export class ClockWatch {
  readonly #clock: Clock
  readonly #changed: (reading: ClockReading) => void
  readonly #readings = new Map<ClockSource, ClockReading>()

  /** @param changed told of a source whose verdict is another than before. */
  constructor(clock: Clock, changed: (reading: ClockReading) => void = () => {}) {
    this.#clock = clock
    this.#changed = changed
  }

  timingOf(source: ClockSource): ExchangeTiming {
    return () => {
      const sentAt = this.#clock.now()
      const startedMs = this.#clock.monotonicMs()
      return (headers) => {
        const answeredAt = this.#clock.now()
        const tookMs = this.#clock.monotonicMs() - startedMs
        const date = headers.get('date') ?? undefined
        const age = headers.get('age') ?? undefined
        this.#heard(source, skewOf({ sentAt, answeredAt, tookMs, date, age }))
      }
    }
  }

  /** Of every source that has said something, by its name. */
  get readings(): readonly ClockReading[] {
    return [...this.#readings.values()].toSorted((one, other) =>
      one.source < other.source ? -1 : 1,
    )
  }

  /** @throws {ServiceError} `clock_wrong` while one of these is too far away. */
  assertRight(sources: readonly ClockSource[]): void {
    const wrong = this.readings.find(
      ({ source, verdict }) => verdict === 'refuse' && sources.includes(source),
    )
    if (wrong) throw clockWrong(wrong)
  }

  #heard(source: ClockSource, skew: Skew | undefined): void {
    if (!skew) return
    const before = this.#readings.get(source)?.verdict ?? 'fine'
    const reading = { source, ...skew, verdict: verdictAfter(before, skew) }
    this.#readings.set(source, reading)
    if (reading.verdict !== before) this.#changed(reading)
  }
}

export function clockWrong(reading: ClockReading): ServiceError {
  return new ServiceError('clock_wrong', clockWords(reading))
}

/** For an operator, with what to do. */
export function clockWords({ source, aheadMs }: ClockReading): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1_000)
  const where = `${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} that of ${source}`
  return `The clock of this host is ${where}: set it by NTP, or where it is right that other one`
}
