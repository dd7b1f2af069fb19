import type { Clock } from '../../src/lib/clock.ts'
import { HeldCredential } from '../../src/lib/held-credential.ts'

type Expiring = { readonly expiration?: Date | undefined }

export interface HeldCredentials<C> {
  get(): Promise<C>
  /** What a request that is about to be made will use; undefined where that has to be fetched. */
  readonly held: C | undefined
  /** The vault has taken what was held. */
  accept(used: C | undefined): void
  /**
   * The vault takes it no more, or not yet: it is given up, and the next request has its source asked afresh.
   *
   * @returns false where another try would use the same: others were given up a moment ago, in vain.
   */
  replace(used: C | undefined): boolean
}

/**
 * Credentials for the SDK, which by itself asks its source with every request as soon as they have less
 * than 5 minutes left, as short-lived ones always have, and waits for a source that hangs.
 *
 * @param open a chain of sources of its own for each fetch: the SDK's shares one promise among all who ask.
 */
export function heldCredentials<C extends Expiring>(
  open: () => () => Promise<C>,
  clock: Clock,
): HeldCredentials<C> {
  const held = new HeldCredential(async () => {
    const credential = await open()()
    return { credential, expiresAt: credential.expiration?.getTime() ?? Infinity }
  }, clock)
  /** Where nothing was held, a request has used what was fetched for it. */
  const isHeld = (used: C | undefined) => used === undefined || used === held.held
  return {
    get: () => held.get(),
    get held() {
      return held.held
    },
    accept(used) {
      if (isHeld(used)) held.accept()
    },
    replace: (used) => !isHeld(used) || held.giveUp(),
  }
}
