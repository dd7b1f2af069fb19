import { randomInt } from 'node:crypto'

/** What the client takes from the world around it. */
export type Surroundings = {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Epoch milliseconds, by a clock that may step. */
  readonly now: () => number
  /** Milliseconds by a clock that never steps, and that may stand still while the machine sleeps. */
  readonly monotonicMs: () => number
  /** Waits; ends early with the signal's reason. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
  /** Evenly from 0 up to 1. */
  readonly chance: () => number
}

export const surroundings: Surroundings = {
  // Looked up when it is called: applications replace it, as for tracing.
  fetch: (url, init) => fetch(url, init),
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  pause: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(reasonOf(signal))
      const end = () => {
        clearTimeout(timer)
        reject(reasonOf(signal))
      }
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', end)
        resolve()
      }, ms)
      signal.addEventListener('abort', end, { once: true })
    }),
  chance: () => randomInt(1_000_000) / 1_000_000,
}

/** Ends after `timeoutMs`, or with `parent`. `cancel` when the work is done: no timer outlives it. */
export function limited(
  timeoutMs: number,
  parent: AbortSignal | undefined,
  expired: () => Error,
): { readonly signal: AbortSignal; readonly cancel: () => void } {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(expired()), timeoutMs)
  const follow = () => controller.abort(parent?.reason)
  if (parent?.aborted) follow()
  else parent?.addEventListener('abort', follow, { once: true })
  return {
    signal: controller.signal,
    cancel() {
      clearTimeout(timer)
      parent?.removeEventListener('abort', follow)
    },
  }
}

/** Whoever aborts says why, with whatever value; an error is what can be thrown on. */
export function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason })
}
