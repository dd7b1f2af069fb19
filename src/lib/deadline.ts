import { ServiceError } from '../errors.ts'

/**
 * A signal that fires after `timeoutMs` with `deadline_exceeded`, or when `parent` fires: with the
 * parent's reason, or with `reason`'s.
 * Dispose of it when the work is done, so that no timer outlives its request.
 */
export function deadline(
  timeoutMs: number,
  parent?: AbortSignal,
  reason: () => unknown = () => parent?.reason,
): Deadline {
  const controller = new AbortController()
  const expire = () => controller.abort(deadlineExceeded())
  const timer = setTimeout(expire, timeoutMs)
  const follow = () => controller.abort(reason())
  if (parent?.aborted) follow()
  else parent?.addEventListener('abort', follow, { once: true })
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer)
      parent?.removeEventListener('abort', follow)
    },
  }
}

export interface Deadline extends Disposable {
  readonly signal: AbortSignal
}

function deadlineExceeded(): ServiceError {
  return new ServiceError('deadline_exceeded', 'The deadline passed before the answer was ready')
}

/** Settles as `work` does, or rejects with the signal's reason; `work` itself is not stopped. */
export async function within<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Waits; ends early with the signal's reason. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  try {
    await (signal ? within(promise, signal) : promise)
  } finally {
    clearTimeout(timer)
  }
}

/** Calls `work` every `everyMs`, never twice at once, until disposed. It holds no process open. */
export function every(everyMs: number, work: () => Promise<void>): Disposable {
  let running = false
  const timer = setInterval(() => {
    if (running) return
    running = true
    void work().finally(() => (running = false))
  }, everyMs)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
