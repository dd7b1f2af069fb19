import {
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState,
  CountBreaker,
  handleWhen,
} from 'cockatiel'
import type { Clock } from './clock.ts'

/** What an error says of whoever was asked; `unknown` when the asking itself was given up. */
export type Sign = 'down' | 'up' | 'unknown'

/** Keeps from asking whoever does not answer, and finds out when that is over. */
export interface Breaker {
  readonly state: 'closed' | 'half_open' | 'open'
  /** How long nothing may be asked; undefined when `run` may be called, in the same turn. */
  refusedForMs(): number | undefined
  run<T>(work: () => Promise<T>): Promise<T>
}

/** Of the last 20 answers more than half, and at least 5: one that is lost now and then opens nothing. */
const judged = { size: 20, minimumNumberOfCalls: 5, threshold: 0.5 } as const

/** Then one request goes through, and what becomes of it decides. */
export const openMs = 5_000

/** While that one is under way. */
const probingMs = 1_000

/**
 * The library goes by the wall clock, which steps: when to try again is therefore decided here. Its other
 * requests would also wait for the one that tries; ours are refused.
 */
export function breaker(clock: Clock, signOf: (error: unknown) => Sign): Breaker {
  let openedAtMs = 0
  let isTrialGivenUp = false
  const counts = (error: unknown): boolean => {
    const sign = signOf(error)
    isTrialGivenUp = sign === 'unknown' && policy.state === CircuitState.HalfOpen
    return sign === 'down' || isTrialGivenUp
  }
  const policy: CircuitBreakerPolicy = circuitBreaker(handleWhen(counts), {
    breaker: new CountBreaker(judged),
    halfOpenAfter: -Infinity,
  })
  policy.onBreak(() => {
    // What was given up has shown nothing: whoever comes next may try. A pause would let one who never
    // waits keep everybody else away.
    openedAtMs = isTrialGivenUp ? -Infinity : clock.monotonicMs()
  })
  return {
    get state() {
      return names[policy.state]
    },
    refusedForMs() {
      if (policy.state === CircuitState.Closed) return undefined
      if (policy.state === CircuitState.HalfOpen) return probingMs
      const leftMs = openedAtMs + openMs - clock.monotonicMs()
      return leftMs > 0 ? leftMs : undefined
    },
    run: (work) => policy.execute(work),
  }
}

const names = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.HalfOpen]: 'half_open',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
} as const
