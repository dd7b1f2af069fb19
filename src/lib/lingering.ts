/** What is waited for although its caller has gone: at most so many, of as many as run at once. */
export function lingeringMax(concurrency: number): number {
  return Math.max(1, Math.floor(concurrency / 16))
}

export interface Wait extends Disposable {
  /** Fires with its deadline; with its caller, unless it lingers. */
  readonly signal: AbortSignal
  readonly lingers: boolean
}

/**
 * Who gives up soon learns nothing about whoever was asked: where all do, one that hangs would never be
 * noticed. A few of their requests therefore go on until their own deadline, and show what is the matter.
 * The callers do not wait for that.
 */
export class Lingering {
  readonly #most: number
  #count = 0

  constructor(concurrency: number) {
    this.#most = lingeringMax(concurrency)
  }

  /**
   * @param limit the request's own deadline, disposed of with the wait.
   * Dispose of it when the request is answered or given up.
   */
  wait(limit: { readonly signal: AbortSignal } & Disposable, caller: AbortSignal): Wait {
    const controller = new AbortController()
    const state = { lingers: false }
    const expire = () => controller.abort(limit.signal.reason)
    const leave = () => {
      if (controller.signal.aborted) return
      state.lingers = this.#count < this.#most
      if (state.lingers) this.#count += 1
      else controller.abort(caller.reason)
    }
    limit.signal.addEventListener('abort', expire, { once: true })
    if (caller.aborted) controller.abort(caller.reason)
    else caller.addEventListener('abort', leave, { once: true })
    return {
      signal: controller.signal,
      get lingers() {
        return state.lingers
      },
      [Symbol.dispose]: () => {
        limit[Symbol.dispose]()
        limit.signal.removeEventListener('abort', expire)
        caller.removeEventListener('abort', leave)
        if (state.lingers) this.#count -= 1
      },
    }
  }
}
