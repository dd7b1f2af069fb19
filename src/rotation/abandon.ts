import { versionName } from '../keys/version.ts'
import type { FoundImport } from '../signing/signer.ts'
import { closeEntry, type JournalEntry } from '../store/journal.ts'
import { insertOrphan } from '../store/orphans.ts'
import { changed, type Run } from './import-run.ts'
import { recordOrphans } from './orphans.ts'
import { assertLease } from './record.ts'
import { search } from './search.ts'

/** Found in the vault by the tag of an earlier run. */
export async function leftBy({ deps, lease, wish: { key } }: Run, { id, n }: JournalEntry) {
  const sought = { intentId: id, name: versionName(key.name, n) }
  return search(deps, lease, deps.importerOf(key), sought)
}

/** Nobody goes on with it: its key in the vault is for a human to look at; where there is none, nobody has to. */
export async function abandon(
  run: Run,
  entry: JournalEntry,
  [found, ...others]: readonly FoundImport[],
): Promise<void> {
  if (!found) return closeUnused(run, entry)
  const { id, key, n } = entry
  const { deps, lease, wish } = run
  const { vault } = wish.key
  const at = deps.clock.now()
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    const { resource } = found
    await closeEntry(transaction, id, resource)
    await insertOrphan(transaction, { key, n, vault, intent: id, resource }, at)
    const change = { before: 'none', after: undefined } as const
    const reason = `an earlier import left a key in the vault, intent ${id}`
    transaction.record({ ...changed(run, { key, n }, change), reason })
    const resources = others.map((other) => other.resource)
    await recordOrphans(deps, transaction, { key: wish.key, intent: id, resources })
  })
}

/**
 * The search has waited for what may not be listed yet, and the lease keeps every other run away: as where the
 * upload would be tried again, what was not found is taken not to be there.
 */
async function closeUnused(run: Run, { id, key, n }: JournalEntry) {
  const { deps, lease } = run
  const at = deps.clock.now()
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    await closeEntry(transaction, id, undefined)
    const change = { before: 'none', after: undefined } as const
    const reason = `an earlier import left nothing in the vault, intent ${id}`
    transaction.record({ ...changed(run, { key, n }, change), reason })
  })
}
