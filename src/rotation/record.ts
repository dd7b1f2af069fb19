import { ServiceError, toServiceError } from '../errors.ts'
import type { VersionState } from '../keys/lifecycle.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import { type JournalStep, noteFailure, openEntry } from '../store/journal.ts'
import { type Lease, renewLease } from '../store/lease.ts'
import type { WriteTransaction } from '../store/store.ts'
import { assertUnmoved } from '../store/versions.ts'
import type { RotationDeps } from './job.ts'

/** What every step of the job is recorded by. */

/** Before something outside is asked: a job that has lost its lease asks for nothing. */
export async function renew(
  { store, clock }: Pick<RotationDeps, 'store' | 'clock'>,
  lease: Lease,
): Promise<void> {
  const now = clock.now()
  await store.writeTransaction((transaction) => assertLease(transaction, lease, now))
}

/** The fence is compared in the write: a job that lost its lease changes nothing more. */
export async function assertLease(
  transaction: WriteTransaction,
  lease: Lease,
  now: number,
): Promise<void> {
  if (await renewLease(transaction, lease, now)) return
  throw new ServiceError('refused', 'Another job has taken over: run it again')
}

/**
 * Durable before the call that it is about, and only while the version is as it was decided on: a revocation,
 * which takes no lease, comes before it or sees it. @returns its id.
 */
export async function intend(
  deps: RotationDeps,
  lease: Lease,
  step: JournalStep,
  version: KeyVersion,
): Promise<string> {
  const at = deps.clock.now()
  const { key, n } = version
  return deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    await assertUnmoved(transaction.connection, version)
    return openEntry(transaction, { id: deps.newId(at), step, key, n, at })
  })
}

/** Asks something outside; why it did not work stands in the journal until it does. */
export async function attempt<T>(
  { store }: RotationDeps,
  id: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code } = toServiceError(error)
    await store.writeTransaction((transaction) => noteFailure(transaction, id, code))
    throw error
  }
}

/** The audit record of a step that changed a version's state. */
export function changed(
  { actor }: RotationDeps,
  { key, n }: Pick<KeyVersion, 'key' | 'n'>,
  change: {
    readonly at: number
    readonly before: VersionState | 'none'
    readonly after: VersionState
    readonly reason?: string | undefined
  },
) {
  const command = { type: 'command', command: 'rotate', actor, reason: undefined } as const
  return { ...command, subject: versionName(key, n), ...change }
}
