import { type ErrorCode, ServiceError, toServiceError } from '../errors.ts'
import { isSameKey } from '../keys/identity.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import { deadline } from '../lib/deadline.ts'
import type { ImportRequest } from '../signing/signer.ts'
import { closeEntry, type JournalEntry } from '../store/journal.ts'
import { insertKeyFacts } from '../store/keys.ts'
import { changeState, insertVersion } from '../store/versions.ts'
import { adopt } from './adopt.ts'
import { clocksOf } from './clocks-of.ts'
import { callTimeoutMs, changed, isPublication, type Run, type Upload } from './import-run.ts'
import { recordOrphans } from './orphans.ts'
import { assertLease, renew } from './record.ts'

/** Wraps, uploads, reads back, has it sign; then one transaction. */
export async function upload(
  run: Upload,
  { id, n }: JournalEntry,
  put: (request: ImportRequest, signal: AbortSignal) => Promise<string>,
  others: readonly string[] = [],
): Promise<KeyVersion> {
  const { key, material } = run.wish
  const name = versionName(key.name, n)
  let isHeld = false
  try {
    await renew(run.deps, run.lease)
    using uploading = deadline(callTimeoutMs)
    const request = { intentId: id, name, algorithm: key.algorithm.name, material }
    const resource = await put(request, uploading.signal)
    isHeld = true
    await renew(run.deps, run.lease)
    const version = await readBack(run, { n, resource })
    run.deps.clocks.assertRight(clocksOf(key))
    return await record(run, id, version, others)
  } catch (error) {
    const failure = toServiceError(error)
    throw isHeld || openEnds.has(failure.code) ? withOrphan(failure, name, id) : failure
  }
}

/** What the vault has there, which has signed, and is the key that was given. */
export async function readBack(
  { deps, wish }: Run,
  { n, resource }: Pick<KeyVersion, 'n' | 'resource'>,
): Promise<KeyVersion> {
  const { key, keyId } = wish
  using limit = deadline(callTimeoutMs)
  const { clock, actor } = deps
  const found = { key, n, resource, vault: deps.vaultOf(key), now: clock.now(), keyId, actor }
  const version = await adopt(found, limit.signal)
  if (!isSameKey(version, key.algorithm.name, wish.identity)) {
    throw new ServiceError('vault_key_unusable', 'The vault answers for another key than this one')
  }
  return version
}

/** One transaction: the version is there whole, with what a human has compared, or not at all. */
async function record(
  run: Upload,
  id: string,
  made: KeyVersion,
  others: readonly string[],
): Promise<KeyVersion> {
  const { deps, lease, wish, replaces } = run
  const at = made.createdAt
  // The one before has kept a place among those that sign only if it signs.
  const isSigning = replaces?.state === 'active'
  const version: KeyVersion = isPublication(wish)
    ? { ...made, state: 'published', publishedAt: at }
    : made
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    const { connection } = transaction
    await insertKeyFacts(transaction, wish.key, at)
    await insertVersion(connection, version)
    await closeEntry(transaction, id, version.resource)
    await recordOrphans(deps, transaction, { key: wish.key, intent: id, resources: others })
    transaction.record(changed(run, version, { before: 'none', after: version.state }))
    if (!replaces) return
    await changeState(connection, replaces, 'revoked', at)
    const reason = `regenerated: ${versionName(version.key, version.n)} has its key id`
    const { state: before } = replaces
    transaction.record({ ...changed(run, replaces, { before, after: 'revoked' }), reason })
    if (!isSigning) return
    await changeState(connection, version, 'active', at)
    transaction.record(changed(run, version, { before: version.state, after: 'active' }))
  })
  return isSigning ? { ...version, state: 'active', activatedAt: at } : version
}

/** After these, while it was asked, it is not known whether the vault has made a key. */
const openEnds: ReadonlySet<ErrorCode> = new Set([
  'vault_unavailable',
  'vault_throttled',
  'vault_denied',
  'vault_key_unusable',
  'signature_invalid',
  'deadline_exceeded',
  'store_unavailable',
  'internal_error',
])

function withOrphan(error: ServiceError, name: string, id: string): ServiceError {
  const message = `${error.message}. The vault may hold it already, as ${name} with the tag chancery:intent=${id}: run the same command again to go on`
  return new ServiceError(error.code, message, { cause: error.cause, details: error.details })
}
