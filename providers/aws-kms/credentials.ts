import type { Clock } from '../../src/lib/clock.ts'

type Expiring = { readonly expiration?: Date | undefined }

/** However short the life of what was fetched: no more than one look a second. */
const everyMsMin = 1_000

/** The SDK's own margin; short-lived credentials are replaced at half their life. */
const marginMs = 300_000

/**
 * Fetches credentials once for all who ask at the same time, and again before they expire. The SDK by
 * itself asks its source with every request as soon as credentials have less than 5 minutes left, as
 * short-lived ones always have. A failed refresh is told only when there is nothing valid any more.
 */
export function heldCredentials<C extends Expiring>(
  fetch: () => Promise<C>,
  clock: Clock,
): () => Promise<C> {
  let held: { readonly credentials: C; readonly refreshAt: number } | undefined
  let fetching: Promise<C> | undefined

  const refresh = async (): Promise<C> => {
    try {
      const credentials = await fetch()
      held = { credentials, refreshAt: refreshAt(credentials, clock.now()) }
      return credentials
    } catch (error) {
      const expiresAt = held?.credentials.expiration?.getTime() ?? 0
      if (held && clock.now() < expiresAt) return held.credentials
      throw error
    } finally {
      fetching = undefined
    }
  }

  return async () => {
    if (held && clock.now() < held.refreshAt) return held.credentials
    fetching ??= refresh()
    return fetching
  }
}

function refreshAt({ expiration }: Expiring, now: number): number {
  if (!expiration) return Infinity
  const leftMs = expiration.getTime() - now
  return now + Math.max(leftMs - marginMs, leftMs / 2, everyMsMin)
}
