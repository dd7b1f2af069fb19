import type { Clock } from '../../src/lib/clock.ts'
import { HeldCredential } from '../../src/lib/held-credential.ts'

type Expiring = { readonly expiration?: Date | undefined }

/**
 * Credentials for the SDK, which by itself asks its source with every request as soon as they have less
 * than 5 minutes left, as short-lived ones always have, and waits for a source that hangs.
 *
 * @param open a chain of sources of its own for each fetch: the SDK's shares one promise among all who ask.
 */
export function heldCredentials<C extends Expiring>(
  open: () => () => Promise<C>,
  clock: Clock,
): () => Promise<C> {
  const held = new HeldCredential(async () => {
    const credential = await open()()
    return { credential, expiresAt: credential.expiration?.getTime() ?? Infinity }
  }, clock)
  return () => held.get()
}
