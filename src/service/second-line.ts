import { ServiceError, toServiceError } from '../errors.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import type { Clock } from '../lib/clock.ts'
import { deadline, within } from '../lib/deadline.ts'
import type { UlidSource } from '../lib/ulid.ts'
import { registrationOf } from '../registry/registration.ts'
import type { Registry, RegistryOutcome, RegistryTask } from '../registry/registry.ts'
import type { KeyDisabler } from '../signing/signer.ts'
import { closeEntry, noteFailure, openEntries, openEntry } from '../store/journal.ts'
import { registryKindOf } from '../store/keys.ts'
import type { Store, WriteTransaction } from '../store/store.ts'
import { markVersion } from '../store/versions.ts'

/** What is behind the store's own word on a revoked version: its registry and its vault. */
export type SecondLineDeps = {
  readonly store: Store
  readonly clock: Clock
  readonly actor: string
  readonly newId: UlidSource
  /** Of a configured key; undefined where nobody has to know it. Opened when it is needed, too. */
  readonly registryOf: (key: string) => Promise<Registry | undefined>
  /** Opened when it is needed, so that nothing about a vault can hold up a revocation. */
  readonly disablerOf: (vault: string) => Promise<KeyDisabler>
}

/** What became of one part of it. */
export type Part =
  | { readonly verdict: 'done' }
  /** There is nothing to do: no registry has to know the key, or it was done before. */
  | { readonly verdict: 'none' }
  /** The registry is looked after by hand. */
  | { readonly verdict: 'task'; readonly task: RegistryTask }
  /** Left to the job, with the reason. */
  | { readonly verdict: 'pending'; readonly error: ServiceError }

export type SecondLine = { readonly withdrawal: Part; readonly disabling: Part }

/** Journal entries that stay open until registry and vault have done their part. */
export type Intents = {
  readonly withdraw: string | undefined
  readonly disable: string | undefined
  /** A human has to withdraw it, and be told how. */
  readonly isByHand: boolean
  /**
   * A job may be telling its registry of it now, and come after what is withdrawn now: it is withdrawn all
   * the same, and once more by a job.
   */
  readonly isBeingTold: boolean
}

/** In the transaction of the revocation: whatever happens next, the job finds what is left to do. */
export async function openSecondLine(
  { clock, newId }: SecondLineDeps,
  transaction: WriteTransaction,
  version: KeyVersion,
): Promise<Intents> {
  const { key, n, withdrawnAt, disabledAt, spki } = version
  const at = clock.now()
  const open = (step: 'withdraw' | 'disable') =>
    openEntry(transaction, { id: newId(at), step, key, n, at })
  const kind = await registryKindOf(transaction.connection, key)
  const isListed = kind !== 'none' && spki !== undefined && withdrawnAt === undefined
  const entries = await openEntries(transaction.connection, key)
  return {
    isBeingTold: entries.some((entry) => entry.step === 'publish' && entry.n === n),
    withdraw: isListed && kind === 'app' ? await open('withdraw') : undefined,
    disable: disabledAt === undefined ? await open('disable') : undefined,
    isByHand: isListed && kind === 'manual',
  }
}

/** Tells registry and vault, side by side, within `timeoutMs`. Never rejects. */
export async function secondLine(
  deps: SecondLineDeps,
  version: KeyVersion,
  intents: Intents,
  timeoutMs: number,
): Promise<SecondLine> {
  using limit = deadline(timeoutMs)
  const { signal } = limit
  const withdraw = async () => {
    const registry = await deps.registryOf(version.key)
    if (!registry) throw notConfigured(version.key)
    return registry.withdraw(registrationOf(version), signal)
  }
  const disable = async (): Promise<RegistryOutcome> => {
    const disabler = await deps.disablerOf(version.vault)
    await disabler.disable(version.resource, signal)
    return { verdict: 'done' }
  }
  const [withdrawal, disabling] = await Promise.all([
    intents.isByHand
      ? attempt(withdraw, signal)
      : settled(deps, version, 'withdrawn', intents.withdraw, async () => {
          const part = await attempt(withdraw, signal)
          return intents.isBeingTold && part.verdict === 'done' ? notForGood(version) : part
        }),
    settled(deps, version, 'disabled', intents.disable, () => attempt(disable, signal)),
  ])
  return { withdrawal, disabling }
}

/** Withdrawn, but whoever is telling the registry of it may come after. */
function notForGood({ key, n }: KeyVersion): Part {
  const message = `A run was about to tell its registry of ${versionName(key, n)}, and may come later`
  return { verdict: 'pending', error: new ServiceError('registry_unavailable', message) }
}

async function attempt(work: () => Promise<RegistryOutcome>, signal: AbortSignal): Promise<Part> {
  try {
    const outcome = await within(work(), signal)
    return outcome.verdict === 'done' ? outcome : { verdict: 'task', task: outcome.task }
  } catch (error) {
    return { verdict: 'pending', error: toServiceError(error) }
  }
}

/** What was tried is written down; what cannot be, is tried again: it is idempotent. */
async function settled(
  deps: SecondLineDeps,
  version: KeyVersion,
  mark: 'withdrawn' | 'disabled',
  id: string | undefined,
  work: () => Promise<Part>,
): Promise<Part> {
  if (id === undefined) return { verdict: 'none' }
  const part = await work()
  try {
    await deps.store.writeTransaction(async (transaction) => {
      if (part.verdict === 'pending') await noteFailure(transaction, id, part.error.code)
      if (part.verdict === 'done') await close(deps, transaction, version, mark, id)
    })
    return part
  } catch (error) {
    return { verdict: 'pending', error: toServiceError(error) }
  }
}

async function close(
  { clock, actor }: SecondLineDeps,
  transaction: WriteTransaction,
  version: KeyVersion,
  mark: 'withdrawn' | 'disabled',
  id: string,
): Promise<void> {
  const at = clock.now()
  await markVersion(transaction.connection, version, mark, at)
  await closeEntry(transaction, id, undefined)
  const reason = mark === 'withdrawn' ? 'withdrawn from its registry' : 'disabled in its vault'
  const subject = versionName(version.key, version.n)
  const change = { before: 'revoked', after: 'revoked' } as const
  transaction.record({ type: 'command', command: 'revoke', at, actor, subject, reason, ...change })
}

function notConfigured(key: string): ServiceError {
  const message = `The configuration no longer says which registry ${key} is known to: withdraw it there`
  return new ServiceError('registry_unavailable', message)
}
