import type { Key } from '../keys/key.ts'
import { versionName } from '../keys/version.ts'
import type { Registry } from '../registry/registry.ts'
import { openEntries } from '../store/journal.ts'
import type { Lease } from '../store/lease.ts'
import type { Store } from '../store/store.ts'
import { listVersions, listVersionsOf } from '../store/versions.ts'
import {
  type DecidedStep,
  type KeyFacts,
  nextStep,
  type RegistryState,
  type SeenKey,
  type Wait,
} from './next-step.ts'
import { type Done, perform, type RotationDeps } from './perform.ts'

/** No key needs more; a bound, so that a mistake cannot make keys for ever. */
const stepsMax = 8

/**
 * Load, decide, do one thing, record; until nothing is due. Safe to kill anywhere: what is not known
 * to be done has its intent in the journal, and the next run finishes it.
 *
 * @param onDone told of each step when it is recorded, also of those before a failure.
 * @throws {ServiceError} `vault_*`, `registry_*`, `store_unavailable`, `refused` when another job took
 *   the lease.
 */
export async function rotateKey(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  onDone: (done: Done) => void,
  signal: AbortSignal,
): Promise<Wait | undefined> {
  for (let i = 0; i < stepsMax; i += 1) {
    const step = await decided(deps, key, signal)
    if (step.kind === 'done') return undefined
    if (step.kind === 'wait') return step.wait
    onDone(await perform(deps, lease, key, step, signal))
  }
  throw new TypeError(`${key.name} needed more than ${stepsMax} steps`)
}

/** What would be done next, without doing it. @throws {ServiceError} `registry_*`. */
export async function planKey(
  deps: Pick<RotationDeps, 'store' | 'registryOf' | 'isNamed'>,
  key: Key,
  signal: AbortSignal,
): Promise<DecidedStep> {
  return decided(deps, key, signal)
}

/** Looks at the registry when the decision depends on it, and then only. */
async function decided(
  deps: Pick<RotationDeps, 'store' | 'registryOf' | 'isNamed'>,
  key: Key,
  signal: AbortSignal,
): Promise<DecidedStep> {
  const registry = deps.registryOf(key)
  const known = await loadFacts(deps.store, key, deps.isNamed)
  const first = nextStep({ ...known, registry: stateOf(registry, undefined) })
  if (first.kind !== 'look') return first
  const registered = await look(deps.store, registry, signal)
  const second = nextStep({ ...known, registry: stateOf(registry, registered) })
  if (second.kind === 'look') throw new TypeError(`${key.name}: looked twice`)
  return second
}

/** An app may be that of several keys: what another one registered is known, too. */
async function look(
  { connection }: Store,
  registry: Registry | undefined,
  signal: AbortSignal,
): Promise<readonly SeenKey[]> {
  const registered = (await registry?.list?.(signal)) ?? []
  const versions = await listVersions(connection)
  const names = new Map(versions.map(({ kid, key, n }) => [kid, versionName(key, n)]))
  return registered.map(({ kid }) => ({ kid, version: names.get(kid) }))
}

function stateOf(
  registry: Registry | undefined,
  registered: readonly SeenKey[] | undefined,
): RegistryState {
  if (!registry) return { kind: 'none' }
  if (!registry.list) return { kind: 'manual' }
  return { kind: 'app', slots: registry.facts.slots, registered }
}

async function loadFacts(
  { connection }: Store,
  { name, source }: Key,
  isNamed: boolean,
): Promise<Omit<KeyFacts, 'registry'>> {
  const openIntent = (await openEntries(connection, name)).find(({ step }) => step === 'generate')
  return { versions: await listVersionsOf(connection, name), openIntent, source, isNamed }
}
