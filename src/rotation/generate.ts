import type { Key } from '../keys/key.ts'
import { versionName } from '../keys/version.ts'
import { deadline } from '../lib/deadline.ts'
import { closeEntry, nextNumber, openEntry } from '../store/journal.ts'
import { insertKeyFacts } from '../store/keys.ts'
import type { Lease } from '../store/lease.ts'
import { insertVersion } from '../store/versions.ts'
import { adopt } from './adopt.ts'
import { clocksOf } from './clocks-of.ts'
import type { Done, RotationDeps } from './job.ts'
import { recordOrphans } from './orphans.ts'
import { assertLease, changed, renew } from './record.ts'
import { search } from './search.ts'

/** The intent is durable, and its number taken, before the vault is asked. */
export async function reserve(deps: RotationDeps, lease: Lease, key: Key) {
  const at = deps.clock.now()
  return deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    const n = await nextNumber(transaction.connection, key.name)
    const entry = { id: deps.newId(at), step: 'generate', key: key.name, n, at } as const
    await openEntry(transaction, entry)
    return entry
  })
}

/** To make a key and to prove it: an RSA-4096 key pair takes seconds. Shorter than the lease. */
const makingTimeoutMs = 20_000

/** Goes on with the intent of an earlier run: only then is the vault searched, for as long as that takes. */
export async function resume(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  { id, n }: { readonly id: string; readonly n: number },
): Promise<Done> {
  const sought = { intentId: id, name: versionName(key.name, n) }
  const found = await search(deps, lease, deps.generatorOf(key), sought)
  await renew(deps, lease)
  using limit = deadline(makingTimeoutMs)
  return await generate(deps, lease, key, { id, n, found }, limit.signal)
}

/**
 * Asks the vault, unless it already holds what an earlier run asked for. Of several with its tag the
 * eldest becomes the version, and the others are orphans.
 */
export async function generate(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  { id, n, found }: { readonly id: string; readonly n: number; readonly found: readonly string[] },
  signal: AbortSignal,
): Promise<Done> {
  const name = versionName(key.name, n)
  const generator = deps.generatorOf(key)
  const request = {
    intentId: id,
    name,
    algorithm: key.algorithm.name,
    modulusBits: key.modulusBits,
  }
  const [earlier, ...others] = found
  const resource = earlier ?? (await generator.generate(request, signal))
  await renew(deps, lease)
  const version = await adopt(
    { key, n, resource, vault: deps.vaultOf(key), now: deps.clock.now(), actor: deps.actor },
    signal,
  )
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
