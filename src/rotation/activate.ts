import type { KeyVersion } from '../keys/version.ts'
import { versionName } from '../keys/version.ts'
import type { Lease } from '../store/lease.ts'
import type { Connection } from '../store/store.ts'
import { changeState, listVersionsOf } from '../store/versions.ts'
import type { DueStep } from './facts.ts'
import type { Done, RotationDeps } from './job.ts'
import { suspendedOf, unprovedOf } from './load-facts.ts'
import { assertLease, changed } from './record.ts'

/**
 * At no instant do two versions sign, and at none does no version. Registry and vault were asked since it was
 * decided, which takes seconds: what was suspended meanwhile does not come to sign, nor what a process that has
 * begun to serve has not proved.
 *
 * @returns nothing when it has to be decided again.
 */
export async function activate(
  deps: RotationDeps,
  lease: Lease,
  { version, retires }: Extract<DueStep, { kind: 'activate' }>,
): Promise<readonly Done[]> {
  const at = deps.clock.now()
  const isDone = await deps.store.writeTransaction(async (transaction) => {
    const { connection } = transaction
    await assertLease(transaction, lease, at)
    const { isSuspended, unproved } = await hindranceOf(connection, version, at)
    if (isSuspended || (unproved.length > 0 && !deps.asked.isForced)) return false
    if (retires) {
      await changeState(connection, retires, 'retiring', at)
      transaction.record(changed(deps, retires, { at, before: 'active', after: 'retiring' }))
    }
    await changeState(connection, version, 'active', at)
    const { state: before } = version
    const reason = reasonOf(unproved)
    transaction.record(changed(deps, version, { at, before, after: 'active', reason }))
    return true
  })
  if (!isDone) return []
  return [
    { version: nameOf(version), step: 'activated' },
    ...(retires ? [{ version: nameOf(retires), step: 'retiring' } as const] : []),
  ]
}

/** The processes are asked for their proofs where another version signs: without one nothing can get worse. */
async function hindranceOf(connection: Connection, version: KeyVersion, now: number) {
  const versions = await listVersionsOf(connection, version.key)
  const isSuccession = versions.some(({ state }) => state === 'active')
  const unproved = isSuccession ? await unprovedOf(connection, [version], now) : new Map()
  return {
    isSuspended: (await suspendedOf(connection, [version])).has(version.n),
    unproved: unproved.get(version.n) ?? [],
  }
}

function reasonOf(unproved: readonly string[]): string | undefined {
  return unproved.length > 0 ? `forced, not proved by ${unproved.join(', ')}` : undefined
}

function nameOf({ key, n }: KeyVersion): string {
  return versionName(key, n)
}
