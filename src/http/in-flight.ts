import { ServiceError } from '../errors.ts'

/** At once, over all callers: beyond it every answer would be late. */
const requestsMax = 2_048

/** Of one caller: the rest is the others', here and in a vault's queue, which four of them may fill. */
const requestsOfCallerMax = requestsMax / 16

/** Of what one caller may: a key whose vault is slow leaves the rest to the caller's other keys. */
const keyShare = 1 / 2

/** Counts what is being answered, so that nothing waits where a refusal would be quicker. */
export class InFlight {
  #all = 0
  readonly #byCaller = new Map<string, Mine>()
  readonly #ofCallerMax: number

  constructor(ofCallerMax = requestsOfCallerMax) {
    this.#ofCallerMax = ofCallerMax
  }

  /**
   * Counts a request until it is disposed of. What is named as a key need not be one.
   *
   * @throws {ServiceError} `overloaded`.
   */
  enter(caller: string, key: string): Disposable {
    const { all: mine, byKey } = this.#byCaller.get(caller) ?? none
    const isFull = this.#all >= requestsMax || mine >= this.#ofCallerMax
    if (isFull || (byKey.get(key) ?? 0) >= this.#ofCallerMax * keyShare) {
      throw new ServiceError('overloaded', 'Too many requests are in flight', {
        details: { retryAfterMs: 1_000 },
      })
    }
    this.#count(caller, key, 1)
    return { [Symbol.dispose]: () => this.#count(caller, key, -1) }
  }

  #count(caller: string, key: string, change: 1 | -1): void {
    this.#all += change
    const { all, byKey } = this.#byCaller.get(caller) ?? { all: 0, byKey: new Map() }
    const ofKey = (byKey.get(key) ?? 0) + change
    if (ofKey > 0) byKey.set(key, ofKey)
    else byKey.delete(key)
    if (byKey.size > 0) this.#byCaller.set(caller, { all: all + change, byKey })
    else this.#byCaller.delete(caller)
  }
}

/** What one caller has in flight. */
type Mine = { readonly all: number; readonly byKey: Map<string, number> }

const none: Mine = { all: 0, byKey: new Map() }
