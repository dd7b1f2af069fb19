import { ServiceError, toServiceError } from '../errors.ts'
import type { Key } from '../keys/key.ts'
import { versionName } from '../keys/version.ts'
import { deadline } from '../lib/deadline.ts'
import { closeEntry } from '../store/journal.ts'
import type { Lease } from '../store/lease.ts'
import { adoptAs, generate, type Intent } from './generate.ts'
import type { Done, RotationDeps } from './job.ts'
import { recordOrphans } from './orphans.ts'
import { assertLease, renew } from './record.ts'
import { search } from './search.ts'

/** To make a key and to prove it: an RSA-4096 key pair takes seconds. Shorter than the lease. */
const makingTimeoutMs = 20_000

/**
 * Goes on with the intent of an earlier run: only then is the vault searched, for as long as that takes. Of
 * several keys with its tag the eldest that can be used becomes the version, and the others are orphans.
 *
 * @returns nothing when all were given up: it is to be decided again.
 * @throws {ServiceError} `vault_key_unusable` when none can be used and no human has asked for another; else
 *   as `rotateKey`.
 */
export async function resume(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  intent: Intent,
): Promise<readonly Done[]> {
  const sought = { intentId: intent.id, name: versionName(key.name, intent.n) }
  const found = await search(deps, lease, deps.generatorOf(key), sought)
  if (found.length === 0) {
    await renew(deps, lease)
    using limit = deadline(makingTimeoutMs)
    return [await generate(deps, lease, key, intent, limit.signal)]
  }
  let why = ''
  for (const resource of found) {
    using limit = deadline(makingTimeoutMs)
    const others = found.filter((other) => other !== resource)
    try {
      return [await adoptAs(deps, lease, key, { ...intent, resource, others }, limit.signal)]
    } catch (error) {
      const { code, message } = toServiceError(error)
      if (code !== 'vault_key_unusable') throw error
      why ||= message
    }
  }
  assertAsked(deps, key, intent, why)
  await giveUp(deps, lease, key, { ...intent, found })
  return []
}

/**
 * Somebody has disabled what an earlier run had made, or its size or its pair will not do any more. A job on a
 * timer would make a key each minute that cannot be used: another one is for a human to ask for.
 */
function assertAsked({ asked }: RotationDeps, { name }: Key, { n }: Intent, why: string): void {
  if (asked.isNamed || asked.now !== 'no') return
  const advice = `put it right there, or \`chancery rotate ${name}\` gives it up and has another made`
  const message = `${why}. An earlier run had it made as ${versionName(name, n)}: ${advice}`
  throw new ServiceError('vault_key_unusable', message)
}

async function giveUp(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  { id, found }: Intent & { readonly found: readonly string[] },
): Promise<void> {
  const at = deps.clock.now()
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    await closeEntry(transaction, id, undefined)
    await recordOrphans(deps, transaction, { key, intent: id, resources: found })
  })
}
