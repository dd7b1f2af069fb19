import type { Key } from '../keys/key.ts'
import { versionName } from '../keys/version.ts'
import { nextNumber } from '../store/journal.ts'
import { insertOrphan } from '../store/orphans.ts'
import type { WriteTransaction } from '../store/store.ts'
import type { RotationDeps } from './job.ts'

/** Keys that bear the tag of a version and are none: each has a number of its own, and is told until a human has deleted it. */
export async function recordOrphans(
  { clock, actor }: Pick<RotationDeps, 'clock' | 'actor'>,
  transaction: WriteTransaction,
  found: { readonly key: Key; readonly intent: string; readonly resources: readonly string[] },
): Promise<void> {
  const {
    key: { name: key, vault },
    intent,
    resources,
  } = found
  const at = clock.now()
  for (const resource of resources) {
    const n = await nextNumber(transaction.connection, key)
    await insertOrphan(transaction, { key, n, vault, intent, resource }, at)
    const reason = `another key in the vault has the tag of intent ${intent}`
    const change = { before: 'none', after: undefined } as const
    const command = { type: 'command', command: 'orphan', at, actor } as const
    transaction.record({ ...command, subject: versionName(key, n), reason, ...change })
  }
}
