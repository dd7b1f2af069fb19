import type { Answer } from './exchange.ts'
import type { Surroundings } from './surroundings.ts'

/** How long something lasts, from when it was received. */
export type Lasting = {
  readonly lastsMs: number
  readonly receivedAt: number
  readonly receivedMonotonicMs: number
}

const renewedBeforeMs = 60_000

/**
 * What was answered lasts until `expiresAt` by the clock of whoever answered, which its `Date` tells:
 * ours may be wrong, and only says how much time has passed since.
 */
export function lasting(answer: Answer, expiresAt: string | undefined): Lasting {
  const { headers, receivedAt, receivedMonotonicMs } = answer
  const theirNow = Date.parse(headers.get('date') ?? '')
  const now = Number.isNaN(theirNow) ? receivedAt : theirNow
  const lastsMs = expiresAt === undefined ? 0 : Date.parse(expiresAt) - now
  return { lastsMs, receivedAt, receivedMonotonicMs }
}

/**
 * Makes something once, and again 60 s before it ends; whoever asks meanwhile waits for the same
 * answer. A failure is not kept.
 */
export function kept<T extends Lasting>(
  { now, monotonicMs }: Pick<Surroundings, 'now' | 'monotonicMs'>,
  make: () => Promise<T>,
): () => Promise<T> {
  let held: T | undefined
  let making: Promise<T> | undefined
  /** One clock steps, the other stands still while a machine sleeps: the later one counts. */
  const isGood = ({ lastsMs, receivedAt, receivedMonotonicMs }: Lasting) =>
    Math.max(now() - receivedAt, monotonicMs() - receivedMonotonicMs) < lastsMs - renewedBeforeMs
  const renew = async () => {
    try {
      held = await make()
      return held
    } finally {
      making = undefined
    }
  }
  return async () => {
    if (held && isGood(held)) return held
    making ??= renew()
    return making
  }
}
