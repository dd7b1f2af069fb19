import { versionName } from '../keys/version.ts'
import { openEntries } from '../store/journal.ts'
import { listOrphans } from '../store/orphans.ts'
import type { Store } from '../store/store.ts'

/** A key that a run has left in a vault, or may have, and that is no version. */
export type LeftBehind = {
  /** `key@n`: the number that was reserved for it. */
  readonly version: string
  /** The tag that it bears in its vault. */
  readonly intent: string
  /** Undefined while nobody knows whether there is one: the run was interrupted, and is to be gone on with. */
  readonly resource: string | undefined
}

/** What is no version and yet is, or may be, in a vault: of one key, or of all; each is told until a human has seen to it. */
export async function leftBehind(
  { connection }: Store,
  key?: string,
): Promise<readonly LeftBehind[]> {
  const orphans = await listOrphans(connection, key)
  const open = await openEntries(connection, key)
  const interrupted = open.filter(({ step }) => step === 'generate' || step === 'import')
  return [
    ...orphans.map(({ resource, ...one }) => ({ ...named(one), intent: one.intent, resource })),
    ...interrupted.map(({ id, ...one }) => ({ ...named(one), intent: id, resource: undefined })),
  ]
}

function named({ key, n }: { readonly key: string; readonly n: number }) {
  return { version: versionName(key, n) }
}
