import type { Key } from '../keys/key.ts'
import { mayBeSwitchedTo } from '../keys/lifecycle.ts'
import { isSuspended } from '../keys/suspension.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import type { Registry } from '../registry/registry.ts'
import { openEntries } from '../store/journal.ts'
import { unprovedBy } from '../store/proofs.ts'
import type { AskedRotation } from '../store/rotations.ts'
import type { Connection, Store } from '../store/store.ts'
import { readSuspensions } from '../store/suspensions.ts'
import { listVersions, listVersionsOf } from '../store/versions.ts'
import type { KeyFacts, ProvisionedFacts, RegistryState, SeenRegistry } from './facts.ts'
import type { DecisionDeps, ProvisionedGenerations } from './job.ts'

/** What the store and the configuration say; the registry has not been looked at. */
export async function loadFacts(
  deps: DecisionDeps,
  key: Key,
  failed: ReadonlySet<string>,
  asked: AskedRotation | undefined,
): Promise<KeyFacts> {
  const { connection } = deps.store
  const now = deps.clock.now()
  const versions = await listVersionsOf(connection, key.name)
  const entries = await openEntries(connection, key.name)
  const generations = deps.provisionedOf(key)
  return {
    versions,
    openIntent: entries.find(({ step }) => step === 'generate'),
    publishing: new Set(entries.flatMap(({ step, n }) => (step === 'publish' ? [n] : []))),
    source: key.source,
    policy: deps.policyOf(key),
    registry: stateOf(deps.registryOf(key), undefined),
    activeMax: key.profile?.name === 'api-key-token' ? 2 : 1,
    asked,
    suspended: await suspendedOf(connection, versions),
    unproved: await unprovedOf(connection, versions, now),
    isForced: deps.asked.isForced,
    provisioned: generations && provisionedFacts(versions, generations),
    failed,
  }
}

/** The same, with what a registry has; an app may be that of several keys. */
export async function lookAt(
  { connection }: Store,
  registry: Registry | undefined,
  signal: AbortSignal,
): Promise<SeenRegistry> {
  const [registered = [], ownMs = 0] = await Promise.all([
    registry?.list?.(signal),
    registry?.propagationMs?.(signal),
  ])
  const versions = await listVersions(connection)
  const names = new Map(versions.map(({ kid, key, n }) => [kid, versionName(key, n)]))
  const keys = registered.map((one) => ({ ...one, version: names.get(one.kid) }))
  return { keys, propagationMs: Math.max(ownMs, registry?.facts.propagationMsMin ?? 0) }
}

export function stateOf(
  registry: Registry | undefined,
  seen: SeenRegistry | undefined,
): RegistryState {
  if (!registry) return { kind: 'none' }
  if (!registry.list) return { kind: 'manual' }
  return { kind: 'app', slots: registry.facts.slots, seen }
}

/** Those that may not sign for now, by their own flag, the key's or everybody's. */
export async function suspendedOf(
  connection: Connection,
  versions: readonly KeyVersion[],
): Promise<ReadonlySet<number>> {
  const has = await readSuspensions(connection)
  const stopped = versions.filter(({ key, n }) => isSuspended(has, { caller: '', key, version: n }))
  return new Set(stopped.map(({ n }) => n))
}

/** By version: who serves now and has not proved it, in words. */
export async function unprovedOf(
  connection: Connection,
  versions: readonly KeyVersion[],
  now: number,
): Promise<ReadonlyMap<number, readonly string[]>> {
  const waiting = versions.filter(({ state }) => mayBeSwitchedTo(state))
  const unproved = Map.groupBy(await unprovedBy(connection, waiting, now), ({ n }) => n)
  return new Map(
    [...unproved].map(([n, processes]) => [
      n,
      processes.map(({ host, pid, code }) => `${host} pid ${pid}${code ? ` (${code})` : ''}`),
    ]),
  )
}

function provisionedFacts(
  versions: readonly KeyVersion[],
  { enabled, initial }: ProvisionedGenerations,
): ProvisionedFacts {
  const isEnabled = ({ generation }: KeyVersion) =>
    generation === undefined || enabled.has(generation)
  return {
    enabled: new Set(versions.filter(isEnabled).map(({ n }) => n)),
    initial: versions.find(({ generation }) => generation !== undefined && generation === initial)
      ?.n,
  }
}
