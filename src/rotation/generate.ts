import { ServiceError } from '../errors.ts'
import { spkiSha256 } from '../keys/catalogue.ts'
import type { Key } from '../keys/key.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import { closeEntry, nextNumber, openEntry } from '../store/journal.ts'
import { insertKeyFacts } from '../store/keys.ts'
import type { Lease } from '../store/lease.ts'
import { isRevokedDigest } from '../store/revoked-digests.ts'
import { insertVersion } from '../store/versions.ts'
import { adopt } from './adopt.ts'
import { clocksOf } from './clocks-of.ts'
import type { Done, RotationDeps } from './job.ts'
import { recordOrphans } from './orphans.ts'
import { assertLease, changed, renew } from './record.ts'

/** Stands in the journal: which tag the key bears, and which number it has. */
export type Intent = { readonly id: string; readonly n: number }

/** The intent is durable, and its number taken, before the vault is asked. */
export async function reserve(deps: RotationDeps, lease: Lease, key: Key): Promise<Intent> {
  const at = deps.clock.now()
  return deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    const n = await nextNumber(transaction.connection, key.name)
    const entry = { id: deps.newId(at), step: 'generate', key: key.name, n, at } as const
    await openEntry(transaction, entry)
    return entry
  })
}

/** Asks the vault. */
export async function generate(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  intent: Intent,
  signal: AbortSignal,
): Promise<Done> {
  const resource = await deps.generatorOf(key).generate(
    {
      intentId: intent.id,
      name: versionName(key.name, intent.n),
      algorithm: key.algorithm.name,
      modulusBits: key.modulusBits,
    },
    signal,
  )
  return adoptAs(deps, lease, key, { ...intent, resource, others: [] }, signal)
}

/**
 * What the vault has made becomes the version, and whatever else bears its tag an orphan.
 *
 * @throws {ServiceError} `vault_key_unusable` for what can never be it, and as `rotateKey`.
 */
export async function adoptAs(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  made: Intent & { readonly resource: string; readonly others: readonly string[] },
  signal: AbortSignal,
): Promise<Done> {
  await renew(deps, lease)
  const { id, n, resource, others } = made
  const name = versionName(key.name, n)
  const version = await adopt(
    { key, n, resource, vault: deps.vaultOf(key), now: deps.clock.now(), actor: deps.actor },
    signal,
  )
  await assertNotRevoked(deps, version)
  deps.clocks.assertRight(clocksOf(key)) // its vault has answered, and its propagation counts from now
  const at = version.createdAt
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    await insertKeyFacts(transaction, key, at)
    await insertVersion(transaction.connection, version)
    await closeEntry(transaction, id, resource)
    transaction.record(changed(deps, version, { at, before: 'none', after: 'created' }))
    await recordOrphans(deps, transaction, { key, intent: id, resources: others })
  })
  return { version: name, step: 'generated' }
}

/** A catalogue may have named its digest since it was made. */
async function assertNotRevoked({ store }: RotationDeps, { spki }: KeyVersion): Promise<void> {
  if (!spki || !(await isRevokedDigest(store.connection, spkiSha256(spki)))) return
  throw new ServiceError('vault_key_unusable', 'The key pair is revoked, and can never sign')
}
