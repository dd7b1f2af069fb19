import { loadGenerator } from '../../providers/generators.ts'
import type { Catalogued, Planned, PlannedStep, Rotated, RotationWish } from '../cli/host.ts'
import type { Catalogues } from '../keys/catalogue.ts'
import type { Key } from '../keys/key.ts'
import type { ClockWatch } from '../lib/clock-watch.ts'
import { deadline } from '../lib/deadline.ts'
import { ulidSource } from '../lib/ulid.ts'
import { planAdoption } from '../rotation/adopt-generations.ts'
import { deedsApart } from '../rotation/ending.ts'
import type { Asked, DecisionDeps, ProvisionedGenerations, RotationDeps } from '../rotation/job.ts'
import { rotate, type RotationResult } from '../rotation/rotate.ts'
import type { SyncResult } from '../rotation/sync.ts'
import { planKey } from '../rotation/tick.ts'
import { namedBy } from '../service/catalogue.ts'
import type { KeyGenerator } from '../signing/signer.ts'
import type { LeaseHolder } from '../store/lease.ts'
import type { Store } from '../store/store.ts'
import { listVersionsOf } from '../store/versions.ts'
import { currentActor } from './actor.ts'
import { cataloguesOf, generationsOf, straysOf, takeIn } from './catalogues.ts'
import { chosenKeys } from './chosen-keys.ts'
import { openDisabler } from './disablers.ts'
import { clock } from './foundation.ts'
import { handworkOn } from './handwork.ts'
import type { Activation } from './importing.ts'
import { leaseHolder } from './lease-holder.ts'
import { registriesOf } from './registries.ts'
import { forCommands, guardVaults } from './vault-guards.ts'
import { openVaults, type ServiceConfig, surroundingsFor, type VaultConfig } from './vaults.ts'

/** Rotation, composed: what makes versions, and what lets them go on. */

export type Rotating = {
  readonly config: ServiceConfig
  readonly store: Store
  /** Told what the clocks of registries and vaults say. */
  readonly clocks: ClockWatch
}

/** Looking at every registry that a step depends on. */
const planMs = 20_000

export async function plan(
  parts: Rotating,
  names: readonly string[],
  wish: RotationWish,
): Promise<readonly Planned[]> {
  const { config, store } = parts
  const keys = chosenKeys(config, names)
  const deps = decisionDeps(parts, askedFor(names, wish))
  const catalogues = cataloguesOf(config)
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

export async function rotateKeys(
  parts: Rotating,
  names: readonly string[],
  wish: RotationWish,
  mayEnd: (key: string) => boolean = () => true,
): Promise<Rotated> {
  const { config, store } = parts
  const keys = chosenKeys(config, names)
  const deps = await rotationDeps(parts, askedFor(names, wish))
  const taken = await takeIn(config, deps, { keys, holder: holderOf(deps), mayEnd })
  const rotation = await rotateTaken(deps, keys, taken.synced)
  return { catalogued: { ...taken, ...(await straysOf(config, store, keys)) }, rotation }
}

/**
 * What has ended is put away, whatever a catalogue says. But of a catalogue that was not taken in it is not known
 * which version its generations mean: by its word nothing comes to sign.
 */
async function rotateTaken(
  deps: RotationDeps,
  keys: readonly Key[],
  synced: SyncResult,
): Promise<RotationResult> {
  if (synced.verdict === 'busy') return synced
  const untaken = new Set(synced.failures.map(({ key }) => key))
  const provisionedOf = (key: Key) =>
    untaken.has(key.name) ? noneEnabled : deps.provisionedOf(key)
  const rotation = await rotate({ ...deps, provisionedOf }, keys, holderOf(deps))
  if (rotation.verdict === 'busy') return rotation
  // What such a key would need is what its failure says.
  return { ...rotation, rests: rotation.rests.filter(({ key }) => !untaken.has(key)) }
}

const noneEnabled: ProvisionedGenerations = { enabled: new Set(), initial: undefined }

export async function catalogued(parts: Rotating): Promise<Catalogued> {
  const { config, store } = parts
  const deps = await rotationDeps(parts, askedFor([], { now: 'no', isForced: false }))
  const keys = chosenKeys(config, [])
  const taken = await takeIn(config, deps, { keys, holder: holderOf(deps) })
  return { ...taken, ...(await straysOf(config, store, keys)) }
}

function holderOf({ newId }: RotationDeps): LeaseHolder {
  return leaseHolder(newId(clock.now()))
}

function askedFor(names: readonly string[], wish: RotationWish): Asked {
  return { ...wish, isNamed: names.length > 0 }
}

function decisionDeps({ config, store, clocks }: Rotating, asked: Asked): DecisionDeps {
  const catalogues = cataloguesOf(config)
  return {
    store,
    policyOf: ({ name }) => configured(config.rotations.get(name), name),
    registryOf: registriesOf(config, clocks),
    provisionedOf: (key) => generationsOf(catalogues, key),
    clock,
    clocks,
    asked,
  }
}

/** What people do about keys that somebody else makes; what they have done lets the key go on. */
export function handworkWith(parts: Rotating) {
  const { config, store, clocks } = parts
  const deps = { store, clock, actor: currentActor() }
  const holder = leaseHolder(ulidSource()(clock.now()))
  const planOne = async (key: Key) => {
    using limit = deadline(planMs)
    const asked = { isNamed: false, now: 'no', isForced: false } as const
    const apart = deedsApart(await listVersionsOf(store.connection, key.name))
    return await planKey(decisionDeps(parts, asked), key, limit.signal, apart)
  }
  const rotateOne = (key: string) => rotateAfterwards(parts, key)
  return handworkOn({ config, store, clocks, deps, holder, rotate: rotateOne, plan: planOne })
}

/** What the command itself did is recorded: what goes wrong now is for the next `rotate`. */
async function rotateAfterwards(parts: Rotating, key: string): Promise<Activation> {
  try {
    const wish = { now: 'no', isForced: false } as const
    // Nobody would hear of the end of another key's version.
    const done = await rotateKeys(parts, [key], wish, (name) => name === key)
    const {
      rotation,
      catalogued: { unrevoked, synced },
    } = done
    const failures = [synced, rotation].flatMap((one) =>
      one.verdict === 'done' ? one.failures : [],
    )
    const [failure] = [...unrevoked, ...failures]
    if (failure) return { cameTo: undefined, error: failure.error }
    if (rotation.verdict === 'busy') return { cameTo: 'busy', error: undefined }
    return { cameTo: rotation.rests.find((one) => one.key === key)?.rest, error: undefined }
  } catch (error) {
    return { cameTo: undefined, error }
  }
}

async function rotationDeps(parts: Rotating, asked: Asked): Promise<RotationDeps> {
  const { config, clocks } = parts
  const opened = await openVaults(config.vaults, 'operator', clocks) // first: it names the vault that cannot be used
  const { vaults } = guardVaults(opened, config.vaults, forCommands)
  const generators = await openGenerators(config)
  return {
    ...decisionDeps(parts, asked),
    vaultOf: ({ vault }) => configured(vaults.get(vault), vault),
    generatorOf: ({ vault }) => configured(generators.get(vault), vault),
    disablerOf: (vault) => openDisabler(config, vault),
    async hearVaultOf({ vault, resource, algorithm }, signal) {
      if (config.vaults.get(vault)?.provider === 'local') return
      await vaults
        .get(vault)
        ?.open({ resource, algorithm }, signal)
        .catch(() => {}) // whether it may sign is not what is asked here
    },
    newId: ulidSource(),
    actor: currentActor(),
  }
}

async function openGenerators({
  vaults,
  environment,
}: ServiceConfig): Promise<ReadonlyMap<string, KeyGenerator>> {
  const opened = [...vaults].map(async ([name, vault]) => {
    return [name, await openGenerator(vault, environment)] as const
  })
  return new Map(await Promise.all(opened))
}

async function openGenerator(config: VaultConfig, keysOf: string): Promise<KeyGenerator> {
  switch (config.provider) {
    case 'local': {
      const open = await loadGenerator.local()
      return open(config)
    }
    case 'aws-kms': {
      const open = await loadGenerator['aws-kms']()
      return open(config, { ...surroundingsFor('operator'), keysOf })
    }
    case 'azure-key-vault': {
      const open = await loadGenerator['azure-key-vault']()
      return open(config, surroundingsFor('operator'))
    }
  }
}

function configured<T>(found: T | undefined, name: string): T {
  if (found !== undefined) return found
  throw new TypeError(`${name} passed the configuration's check and is not there`)
}
