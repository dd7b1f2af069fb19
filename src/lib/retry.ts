import { ExponentialBackoff, fullJitterGenerator, handleWhen, retry } from 'cockatiel'

/** Any time up to this lies between the two tries: those who failed together do not come back together. */
const pauseMsMax = 100

/** Calls `work`, and once more when it fails with what `mayTryAgain`; never after the signal. */
export type Twice = <T>(work: (isAgain: boolean) => Promise<T>, signal: AbortSignal) => Promise<T>

export function twice(mayTryAgain: (error: unknown) => boolean): Twice {
  const policy = retry(handleWhen(mayTryAgain), {
    maxAttempts: 1, // beside the first
    backoff: new ExponentialBackoff({
      initialDelay: pauseMsMax,
      maxDelay: pauseMsMax,
      generator: fullJitterGenerator,
    }),
  })
  return (work, signal) =>
    policy.execute(({ attempt }) => {
      signal.throwIfAborted()
      return work(attempt > 0)
    }, signal)
}
