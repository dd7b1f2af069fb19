import type { Key } from '../keys/key.ts'
import type { KeyVersion } from '../keys/version.ts'
import type { Lease } from '../store/lease.ts'
import { askedRotation, type AskedRotation, insertAskedRotation } from '../store/rotations.ts'
import type { Connection } from '../store/store.ts'
import { listVersionsOf } from '../store/versions.ts'
import type { Asked, RotationDeps } from './job.ts'
import { lastSigning, signing } from './next-step.ts'
import { assertLease } from './record.ts'

/**
 * What a human asks for stands in the store until another version signs, so that whichever run comes next
 * goes on with it. Named by the version that signs, not by an instant: no clock can undo it.
 *
 * @param meant the version that signed when the command was given: if another job has replaced it since,
 *   what was asked for has been done.
 */
export async function ask(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  meant: number | undefined,
): Promise<void> {
  const { store, clock, asked, actor } = deps
  if (asked.now === 'no' && !asked.isNamed) return
  const at = clock.now()
  await store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    const { connection } = transaction
    const before = await askedRotation(connection, key.name)
    const versions = await listVersionsOf(connection, key.name)
    if (lastSigning(versions)?.n !== meant) return
    const after = askedAfter(before, versions, asked)
    if (!after || isSame(before, after)) return
    await insertAskedRotation(transaction, key.name, after, at)
    const { state } = versions.find(({ n }) => n === after.replaces) ?? {}
    transaction.record({
      type: 'command',
      command: 'rotate',
      at,
      actor,
      subject: `${key.name}@${after.replaces}`,
      reason: after.isEmergency ? 'to be replaced now, without overlap' : 'to be replaced now',
      before: state,
      after: state,
    })
  })
}

/** What `ask` would leave in the store. */
export async function wouldAsk(
  connection: Connection,
  { name }: Key,
  asked: Asked,
): Promise<AskedRotation | undefined> {
  const versions = await listVersionsOf(connection, name)
  return askedAfter(await askedRotation(connection, name), versions, asked)
}

/**
 * Pure. Naming a key is enough to replace a version that was revoked; one that signs is replaced before
 * it is due only when that was said.
 */
export function askedAfter(
  before: AskedRotation | undefined,
  versions: readonly KeyVersion[],
  asked: Asked,
): AskedRotation | undefined {
  const last = lastSigning(versions)
  if (!last) return before // its first version needs no asking
  const isAsked = asked.now !== 'no' || (asked.isNamed && !signing(versions))
  if (!isAsked) return before
  const wasEmergency = before?.replaces === last.n && before.isEmergency
  return { replaces: last.n, isEmergency: wasEmergency || asked.now === 'without overlap' }
}

function isSame(before: AskedRotation | undefined, after: AskedRotation): boolean {
  return before?.replaces === after.replaces && before.isEmergency === after.isEmergency
}
