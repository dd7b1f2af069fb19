import { ServiceError } from '../errors.ts'
import type { Key } from '../keys/key.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import type { Clock } from '../lib/clock.ts'
import type { UlidSource } from '../lib/ulid.ts'
import type { Registry } from '../registry/registry.ts'
import { publicKeyFromSpki } from '../signing/public-key.ts'
import type { KeyGenerator, Vault } from '../signing/signer.ts'
import { closeEntry, nextNumber, openEntry } from '../store/journal.ts'
import { insertKeyFacts } from '../store/keys.ts'
import { type Lease, renewLease } from '../store/lease.ts'
import type { Store, WriteTransaction } from '../store/store.ts'
import { changeState, insertVersion } from '../store/versions.ts'
import { adopt } from './adopt.ts'
import type { DueStep } from './next-step.ts'

export type RotationDeps = {
  readonly store: Store
  readonly vaultOf: (key: Key) => Vault
  readonly generatorOf: (key: Key) => KeyGenerator
  /** Undefined for a key that nobody has to know. */
  readonly registryOf: (key: Key) => Registry | undefined
  readonly clock: Clock
  readonly newId: UlidSource
  readonly actor: string
  /** The keys were named on the command line, not just due. */
  readonly isNamed: boolean
}

/** What a tick did, for people. */
export type Done = {
  readonly version: string
  readonly step: 'generated' | 'published' | 'activated'
}

/** Does one step, and records it. @throws {ServiceError} as `rotateKey`. */
export async function perform(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  step: DueStep,
  signal: AbortSignal,
): Promise<Done> {
  switch (step.kind) {
    case 'generate':
      return generate(
        deps,
        lease,
        key,
        { ...(await reserve(deps, lease, key)), isNew: true },
        signal,
      )
    case 'resume':
      await renew(deps, lease)
      return generate(deps, lease, key, { ...step, isNew: false }, signal)
    case 'publish':
      await publish(deps, lease, key, step.version, signal)
      return { version: versionName(key.name, step.version.n), step: 'published' }
    case 'activate':
      await activate(deps, lease, step.version)
      return { version: versionName(key.name, step.version.n), step: 'activated' }
  }
}

/** The intent is durable, and its number taken, before the vault is asked. */
async function reserve(deps: RotationDeps, lease: Lease, key: Key) {
  const at = deps.clock.now()
  return deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    const n = await nextNumber(transaction.connection, key.name)
    const entry = { id: deps.newId(at), step: 'generate', key: key.name, n, at } as const
    await openEntry(transaction, entry)
    return entry
  })
}

/** Asks the vault, unless it already holds what an earlier run asked for: only then is it searched. */
async function generate(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  { id, n, isNew }: { readonly id: string; readonly n: number; readonly isNew: boolean },
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
  const earlier = isNew ? undefined : await generator.find(id, signal)
  const resource = earlier ?? (await generator.generate(request, signal))
  await renew(deps, lease)
  const version = await adopt(
    { key, n, resource, vault: deps.vaultOf(key), now: deps.clock.now() },
    signal,
  )
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, version.createdAt)
    await insertKeyFacts(transaction, key, version.createdAt)
    await insertVersion(transaction.connection, version)
    await closeEntry(transaction, id, resource)
    transaction.record(record(deps, name, 'none', 'created'))
  })
  return { version: name, step: 'generated' }
}

/** Idempotent by content: what an interrupted run told the registry is found there. */
async function publish(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  version: KeyVersion,
  signal: AbortSignal,
): Promise<void> {
  const registry = deps.registryOf(key)
  if (!registry || !version.spki) throw new TypeError(`${key.name} has nothing to publish`)
  const { n, kid, algorithm } = version
  const at = deps.clock.now()
  const id = await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    return openEntry(transaction, { id: deps.newId(at), step: 'publish', key: key.name, n, at })
  })
  const registration = { kid, algorithm, publicKey: publicKeyFromSpki(version.spki) }
  const { verdict } = await registry.publish(registration, signal)
  if (verdict !== 'done') throw new TypeError(`${key.name}: published by hand, which is no step`)
  const now = deps.clock.now()
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, now)
    await changeState(transaction.connection, version, 'published', now)
    await closeEntry(transaction, id, kid)
    transaction.record(record(deps, versionName(key.name, n), version.state, 'published'))
  })
}

async function activate(deps: RotationDeps, lease: Lease, version: KeyVersion): Promise<void> {
  const now = deps.clock.now()
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, now)
    await changeState(transaction.connection, version, 'active', now)
    transaction.record(record(deps, versionName(version.key, version.n), version.state, 'active'))
  })
}

/** Before the vault is asked: a job that has lost its lease makes no key. */
async function renew({ store, clock }: RotationDeps, lease: Lease): Promise<void> {
  const now = clock.now()
  await store.writeTransaction((transaction) => assertLease(transaction, lease, now))
}

/** The fence is compared in the write: a job that lost its lease changes nothing more. */
async function assertLease(
  transaction: WriteTransaction,
  lease: Lease,
  now: number,
): Promise<void> {
  if (await renewLease(transaction, lease, now)) return
  throw new ServiceError('refused', 'Another rotation job has taken over: this one stops')
}

function record(
  { clock, actor }: RotationDeps,
  subject: string,
  before: 'none' | Parameters<typeof changeState>[1]['state'],
  after: 'created' | 'published' | 'active',
) {
  return {
    type: 'command',
    command: 'rotate',
    at: clock.now(),
    actor,
    subject,
    reason: undefined,
    before,
    after,
  } as const
}
