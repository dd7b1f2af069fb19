import { ServiceError } from '../errors.ts'

/** At once, over all callers: beyond it every answer would be late. */
const requestsMax = 2_048

/** Of one caller: the rest is the others', here and in a vault's queue, which four of them may fill. */
const requestsOfCallerMax = requestsMax / 16

/** Counts what is being answered, so that nothing waits where a refusal would be quicker. */
export class InFlight {
  #all = 0
  readonly #byCaller = new Map<string, number>()
  readonly #ofCallerMax: number

  constructor(ofCallerMax = requestsOfCallerMax) {
    this.#ofCallerMax = ofCallerMax
  }

  /**
   * Counts a request until it is disposed of.
   *
   * @throws {ServiceError} `overloaded`.
   */
  enter(caller: string): Disposable {
    const mine = this.#byCaller.get(caller) ?? 0
    if (this.#all >= requestsMax || mine >= this.#ofCallerMax) {
      throw new ServiceError('overloaded', 'Too many requests are in flight', {
        details: { retryAfterMs: 1_000 },
      })
    }
    this.#count(caller, 1)
    return { [Symbol.dispose]: () => this.#count(caller, -1) }
  }

  #count(caller: string, change: 1 | -1): void {
    this.#all += change
    const mine = (this.#byCaller.get(caller) ?? 0) + change
    if (mine > 0) this.#byCaller.set(caller, mine)
    else this.#byCaller.delete(caller)
  }
}
