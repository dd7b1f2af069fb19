import type { Catalogued, Planned, PlannedStep, Rotated, RotationWish } from '../cli/host.ts'
import type { Catalogues } from '../keys/catalogue.ts'
import type { Key } from '../keys/key.ts'
import { parseVersionName } from '../keys/version.ts'
import { deadline } from '../lib/deadline.ts'
import { ulidSource } from '../lib/ulid.ts'
import { planAdoption } from '../rotation/adopt-generations.ts'
import { deedsApart } from '../rotation/ending.ts'
import type { Asked, DecisionDeps, ProvisionedGenerations, RotationDeps } from '../rotation/job.ts'
import { rotate, type RotationResult } from '../rotation/rotate.ts'
import { syncGenerations, type SyncResult } from '../rotation/sync.ts'
import { planKey } from '../rotation/tick.ts'
import { namedBy, type Ended } from '../service/catalogue.ts'
import type { LeaseHolder } from '../store/lease.ts'
import { listVersionsOf } from '../store/versions.ts'
import { currentActor } from './actor.ts'
import { cataloguesOf, revokedBy, straysOf } from './catalogues.ts'
import { chosenKeys } from './chosen-keys.ts'
import { clock } from './foundation.ts'
import { handworkOn } from './handwork.ts'
import type { Activation } from './importing.ts'
import { leaseHolder } from './lease-holder.ts'
import { askedFor, decisionDeps, type Rotating, rotationDeps } from './rotation-deps.ts'

/** Rotation, composed: what makes versions, and what lets them go on. */

/** Looking at every registry that a step depends on. */
const planMs = 20_000

export async function plan(
  parts: Rotating,
  names: readonly string[],
  wish: RotationWish,
): Promise<readonly Planned[]> {
  const { config, store } = parts
  const keys = chosenKeys(config, names)
  const catalogues = cataloguesOf(config)
  const deps = decisionDeps(parts, askedFor(names, wish), catalogues)
  using limit = deadline(planMs)
  const revoked = await namedBy(store, catalogues.revoked)
  // What comes after a revocation nobody can say before it.
  const others = keys.filter(({ name }) => revoked.every(({ key }) => key !== name))
  const planned = others.map(async (key): Promise<Planned> => {
    try {
      const adoption = await planOfCatalogue(deps, catalogues, key)
      return { key: key.name, step: adoption ?? (await planKey(deps, key, limit.signal)) }
    } catch (error) {
      return { key: key.name, error }
    }
  })
  const ends = revoked.map(({ key, n }): Planned => {
    return { key, step: { kind: 'revoke', version: { key, n } } }
  })
  return [...ends, ...(await Promise.all(planned))]
}

async function planOfCatalogue(
  deps: DecisionDeps,
  catalogues: Catalogues,
  key: Key,
): Promise<PlannedStep | undefined> {
  if (key.source !== 'provisioned') return undefined
  const adoption = await planAdoption(deps, key, catalogues.keys.get(key.name))
  if (!adoption) return undefined
  const { generation, n } = adoption
  return { kind: 'adopt', version: { key: key.name, n }, generation }
}

/** What catalogues revoke is in force before any vault is opened, and told whatever becomes of the rest. */
export async function rotateKeys(
  parts: Rotating,
  names: readonly string[],
  wish: RotationWish,
): Promise<Rotated> {
  const { config, store } = parts
  const keys = chosenKeys(config, names)
  const catalogues = cataloguesOf(config)
  const ended = await revokedBy(config, store, catalogues)
  const { synced, rotation } = await evenSo(ended, keys, () =>
    rotateChosen(parts, keys, askedFor(names, wish), catalogues),
  )
  const strays = await straysOf(config, store, keys, catalogues)
  return { catalogued: { ...ended, ...strays, synced }, rotation }
}

export async function catalogued(parts: Rotating): Promise<Catalogued> {
  const { config, store } = parts
  const keys = chosenKeys(config, [])
  const catalogues = cataloguesOf(config)
  const ended = await revokedBy(config, store, catalogues)
  const { synced } = await evenSo(ended, keys, async () => {
    const deps = await rotationDeps(parts, askedFor([], onTime), catalogues)
    const done = await syncGenerations(deps, keys, catalogues, holderOf(deps))
    return { synced: done, rotation: nothingDone }
  })
  return { ...ended, ...(await straysOf(config, store, keys, catalogues)), synced }
}

const onTime = { now: 'no', isForced: false } as const
const nothingDone = { verdict: 'done', steps: [], rests: [], failures: [] } as const

type Taken = { readonly synced: SyncResult; readonly rotation: RotationResult }

/** What has been revoked would be told by nobody if the run ended without its result: it fails for each key instead. */
async function evenSo(
  { revoked, unrevoked }: Ended,
  keys: readonly Key[],
  work: () => Promise<Taken>,
): Promise<Taken> {
  try {
    return await work()
  } catch (error) {
    if (revoked.length + unrevoked.length === 0) throw error
    // Also where no key is chosen: what is revoked may be all that the store has.
    const ended = revoked.flatMap(({ version }) => parseVersionName(version)?.key ?? [])
    const names = new Set<string>([
      ...keys.map(({ name }) => name),
      ...ended,
      ...unrevoked.map(({ key }) => key),
    ])
    const failures = [...names].map((key) => ({ key, error, isRefused: true as const }))
    return { synced: { verdict: 'done', steps: [], failures }, rotation: nothingDone }
  }
}

async function rotateChosen(
  parts: Rotating,
  keys: readonly Key[],
  asked: Asked,
  catalogues: Catalogues,
): Promise<Taken> {
  const deps = await rotationDeps(parts, asked, catalogues)
  const synced = await syncGenerations(deps, keys, catalogues, holderOf(deps))
  return { synced, rotation: await rotateSynced(deps, keys, synced) }
}

/**
 * What has ended is put away, whatever a catalogue says. But of a catalogue that was refused it is not known which
 * version its generations mean: by its word nothing comes to sign.
 */
async function rotateSynced(
  deps: RotationDeps,
  keys: readonly Key[],
  synced: SyncResult,
): Promise<RotationResult> {
  if (synced.verdict === 'busy') return synced
  const failed = new Set(synced.failures.map(({ key }) => key))
  const refused = new Set(synced.failures.flatMap((one) => (one.isRefused ? [one.key] : [])))
  const provisionedOf = (key: Key) =>
    refused.has(key.name) ? noneEnabled : deps.provisionedOf(key)
  const rotation = await rotate({ ...deps, provisionedOf }, keys, holderOf(deps))
  if (rotation.verdict === 'busy') return rotation
  // What such a key would need is what its failure says.
  const isTold = ({ key, rest }: (typeof rotation.rests)[number]) =>
    refused.has(key) || (failed.has(key) && rest.kind === 'task')
  return { ...rotation, rests: rotation.rests.filter((one) => !isTold(one)) }
}

const noneEnabled: ProvisionedGenerations = { enabled: new Set(), initial: undefined }

function holderOf({ newId }: RotationDeps): LeaseHolder {
  return leaseHolder(newId(clock.now()))
}

/** What people do about keys that somebody else makes; what they have done lets the key go on. */
export function handworkWith(parts: Rotating) {
  const { config, store, clocks } = parts
  const deps = { store, clock, actor: currentActor() }
  const holder = leaseHolder(ulidSource()(clock.now()))
  const planOne = async (key: Key) => {
    using limit = deadline(planMs)
    const asked = askedFor([], onTime)
    const apart = deedsApart(await listVersionsOf(store.connection, key.name))
    return await planKey(decisionDeps(parts, asked, cataloguesOf(config)), key, limit.signal, apart)
  }
  const rotateOne = (key: string) => rotateAfterwards(parts, key)
  return handworkOn({ config, store, clocks, deps, holder, rotate: rotateOne, plan: planOne })
}

/**
 * What the command itself did is recorded: what goes wrong now is for the next `rotate`. So is what a catalogue
 * revokes, of which nobody would hear.
 */
async function rotateAfterwards(parts: Rotating, key: string): Promise<Activation> {
  try {
    const keys = chosenKeys(parts.config, [key])
    const asked = askedFor([key], onTime)
    const catalogues = cataloguesOf(parts.config)
    const { synced, rotation } = await rotateChosen(parts, keys, asked, catalogues)
    const [failure] = [synced, rotation].flatMap((one) =>
      one.verdict === 'done' ? one.failures : [],
    )
    if (failure) return { cameTo: undefined, error: failure.error }
    if (rotation.verdict === 'busy') return { cameTo: 'busy', error: undefined }
    return { cameTo: rotation.rests.find((one) => one.key === key)?.rest, error: undefined }
  } catch (error) {
    return { cameTo: undefined, error }
  }
}
