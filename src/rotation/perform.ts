import type { Key } from '../keys/key.ts'
import { hasEnded } from '../keys/lifecycle.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import { registrationOf } from '../registry/registration.ts'
import type { Registry } from '../registry/registry.ts'
import { closeEntry, closeRegistryEntries, openEntry } from '../store/journal.ts'
import type { Lease } from '../store/lease.ts'
import type { WriteTransaction } from '../store/store.ts'
import { assertUnmoved, changeState, findVersion, markVersion } from '../store/versions.ts'
import { activate } from './activate.ts'
import type { DueStep } from './facts.ts'
import { generate, reserve } from './generate.ts'
import type { Done, RotationDeps } from './job.ts'
import { assertLease, attempt, changed, intend } from './record.ts'
import { resume } from './resume.ts'

/**
 * Does one step, and records it.
 *
 * @param signal of what has no time of its own: going on with an earlier intent may outlast the step's.
 * @throws {ServiceError} as `rotateKey`.
 */
export async function perform(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  step: DueStep,
  signal: AbortSignal,
): Promise<readonly Done[]> {
  switch (step.kind) {
    case 'generate': {
      const intent = await reserve(deps, lease, key)
      return [await generate(deps, lease, key, intent, signal)]
    }
    case 'resume':
      return resume(deps, lease, key, step)
    case 'publish':
      return publish(deps, lease, key, step.version, signal)
    case 'activate':
      return activate(deps, lease, step)
    case 'withdraw':
      return withdraw(deps, lease, key, step.version, signal)
    case 'retire':
      return retire(deps, lease, step.version)
    case 'disable':
      return disable(deps, lease, step.version, signal)
  }
}

/** Idempotent by content: what an interrupted run told the registry is found there. */
async function publish(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  version: KeyVersion,
  signal: AbortSignal,
): Promise<readonly Done[]> {
  const registry = appOf(deps, key)
  const registration = registrationOf(version)
  const id = await intend(deps, lease, 'publish', version)
  try {
    const { verdict } = await attempt(deps, id, () => registry.publish(registration, signal))
    if (verdict !== 'done') throw new TypeError(`${key.name}: published by hand, which is no step`)
    await recordPublication(deps, lease, version, id)
  } catch (error) {
    await reopenWithdrawal(deps, version)
    throw error
  }
  return [{ version: nameOf(version), step: 'published' }]
}

async function recordPublication(
  deps: RotationDeps,
  lease: Lease,
  version: KeyVersion,
  id: string,
): Promise<void> {
  const at = deps.clock.now()
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    const { state: before } = version
    const isFirst = before === 'created'
    if (isFirst) {
      await changeState(transaction.connection, version, 'published', at)
    } else {
      await markAgain(transaction, version, at)
    }
    await closeEntry(transaction, id, version.kid)
    const after = isFirst ? 'published' : before
    const reason = isFirst ? undefined : 'told again'
    transaction.record(changed(deps, version, { at, before, after, reason }))
  })
}

/**
 * The registry may have been told of it after it had ended, and another run had withdrawn it. The lease is lost by
 * then: without it, as a revocation.
 */
async function reopenWithdrawal(
  { store, clock, newId }: RotationDeps,
  { key, n }: KeyVersion,
): Promise<void> {
  const at = clock.now()
  await store.writeTransaction(async (transaction) => {
    const { connection } = transaction
    const found = await findVersion(connection, key, n)
    if (!found || !hasEnded(found.state)) return
    await markVersion(connection, found, 'withdrawn', undefined)
    await openEntry(transaction, { id: newId(at), step: 'withdraw', key, n, at })
  })
}

/** Its registry had lost it, or may have: verifiers begin to see it now. */
async function markAgain({ connection }: WriteTransaction, version: KeyVersion, at: number) {
  await assertUnmoved(connection, version)
  await markVersion(connection, version, 'published', at)
}

/** Idempotent: what is not there any more is withdrawn. */
async function withdraw(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  version: KeyVersion,
  signal: AbortSignal,
): Promise<readonly Done[]> {
  const registry = appOf(deps, key)
  const registration = registrationOf(version)
  const id = await intend(deps, lease, 'withdraw', version)
  const { verdict } = await attempt(deps, id, () => registry.withdraw(registration, signal))
  if (verdict !== 'done') throw new TypeError(`${key.name}: withdrawn by hand, which is no step`)
  const at = deps.clock.now()
  const isRetiring = version.state === 'retiring'
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    await markVersion(transaction.connection, version, 'withdrawn', at)
    if (isRetiring) await changeState(transaction.connection, version, 'retired', at)
    await closeRegistryEntries(transaction, version)
    const after = isRetiring ? 'retired' : version.state
    transaction.record(
      changed(deps, version, { at, before: version.state, after, reason: 'withdrawn' }),
    )
  })
  return [{ version: nameOf(version), step: isRetiring ? 'retired' : 'withdrawn' }]
}

async function retire(
  deps: RotationDeps,
  lease: Lease,
  version: KeyVersion,
): Promise<readonly Done[]> {
  const at = deps.clock.now()
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    await changeState(transaction.connection, version, 'retired', at)
    transaction.record(changed(deps, version, { at, before: version.state, after: 'retired' }))
  })
  return [{ version: nameOf(version), step: 'retired' }]
}

/** The second line: the store has refused it long before the vault does. */
async function disable(
  deps: RotationDeps,
  lease: Lease,
  version: KeyVersion,
  signal: AbortSignal,
): Promise<readonly Done[]> {
  const id = await intend(deps, lease, 'disable', version)
  await attempt(deps, id, async () => {
    const disabler = await deps.disablerOf(version.vault)
    await disabler.disable(version.resource, signal)
  })
  const at = deps.clock.now()
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    // Disabled it is, also if it was revoked meanwhile; but nothing is recorded as retired after that.
    const { state } = (await findVersion(transaction.connection, version.key, version.n)) ?? version
    await markVersion(transaction.connection, version, 'disabled', at)
    await closeEntry(transaction, id, undefined)
    const change = { at, before: state, after: state, reason: 'disabled in the vault' }
    transaction.record(changed(deps, version, change))
  })
  return [{ version: nameOf(version), step: 'disabled' }]
}

function appOf({ registryOf }: RotationDeps, key: Key): Registry {
  const registry = registryOf(key)
  if (registry) return registry
  throw new TypeError(`${key.name} has no registry to tell`)
}

function nameOf({ key, n }: KeyVersion): string {
  return versionName(key, n)
}
