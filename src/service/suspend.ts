import { ServiceError } from '../errors.ts'
import {
  everything,
  type SuspensionKind,
  suspensionKinds,
  type SuspensionSubject,
} from '../keys/suspension.ts'
import { parseVersionName } from '../keys/version.ts'
import { deleteSuspension, insertSuspension } from '../store/suspensions.ts'
import type { Connection } from '../store/store.ts'
import { findVersion, listVersionsOf } from '../store/versions.ts'
import { type CommandDeps, windowEnd } from './revoke.ts'

/**
 * What a command line names: `key NAME`, `version KEY@N`, `caller NAME`, `everything`.
 *
 * @throws {ServiceError} `usage`.
 */
export function readSubject(kindText: string, name: string | undefined): SuspensionSubject {
  const kind = suspensionKinds.find((known): known is SuspensionKind => known === kindText)
  if (kind === 'everything' && name === undefined) return everything
  if (kind !== undefined && kind !== 'everything' && name !== undefined) return { kind, name }
  throw new ServiceError('usage', 'Name one of: key NAME, version KEY@N, caller NAME, everything')
}

/** The names that the configuration knows. */
export type KnownNames = {
  readonly keys: ReadonlySet<string>
  readonly callers: ReadonlySet<string>
}

export type SuspensionCommand = { readonly subject: SuspensionSubject; readonly reason: string }

export type SuspensionResult = {
  readonly subject: SuspensionSubject
  /** False when it was so already. */
  readonly changed: boolean
  /** Of a suspension, epoch milliseconds: nothing can leave any process on this store after it. */
  readonly nothingAfter: number | undefined
}

/**
 * In force, for every process on the store, when it returns; a suspended key still answers its
 * fingerprints.
 *
 * @throws {ServiceError} `refused` for something that does not exist, `store_unavailable`.
 */
export async function suspend(
  deps: CommandDeps,
  known: KnownNames,
  { subject, reason }: SuspensionCommand,
): Promise<SuspensionResult> {
  const changed = await deps.store.writeTransaction(async (transaction) => {
    const { connection } = transaction
    await assertExists(connection, known, subject)
    const at = deps.clock.now()
    const isNew = await insertSuspension(connection, { ...subject, reason, at })
    if (isNew) transaction.record(record(deps, 'suspend', { subject, reason }, at))
    return isNew
  })
  return { subject, changed, nothingAfter: await windowEnd(deps) }
}

/**
 * Clears one flag and no other: what else is suspended stays so.
 *
 * @throws {ServiceError} `store_unavailable`.
 */
export async function resume(
  deps: CommandDeps,
  { subject, reason }: SuspensionCommand,
): Promise<SuspensionResult> {
  const changed = await deps.store.writeTransaction(async (transaction) => {
    const wasSuspended = await deleteSuspension(transaction.connection, subject)
    if (wasSuspended) {
      transaction.record(record(deps, 'resume', { subject, reason }, deps.clock.now()))
    }
    return wasSuspended
  })
  return { subject, changed, nothingAfter: undefined }
}

function record(
  { actor }: CommandDeps,
  command: 'suspend' | 'resume',
  { subject: { kind, name }, reason }: SuspensionCommand,
  at: number,
) {
  const after = command === 'suspend' ? ('suspended' as const) : ('resumed' as const)
  const before = command === 'suspend' ? undefined : ('suspended' as const)
  return {
    type: 'command',
    command,
    at,
    actor,
    subject: `${kind} ${name}`,
    reason,
    before,
    after,
  } as const
}

async function assertExists(
  connection: Connection,
  known: KnownNames,
  { kind, name }: SuspensionSubject,
): Promise<void> {
  if (kind === 'everything') return
  if (kind === 'caller' && known.callers.has(name)) return
  if (kind === 'key' && known.keys.has(name)) return
  if (kind === 'key' && (await listVersionsOf(connection, name)).length > 0) return
  const version = kind === 'version' ? parseVersionName(name) : undefined
  if (version && (await findVersion(connection, version.key, version.n))) return
  throw new ServiceError(
    'refused',
    `There is no ${kind} ${name}: see \`chancery keys list\` and the configuration`,
  )
}
