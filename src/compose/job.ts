import { loadGenerator } from '../../providers/generators.ts'
import type { Catalogued, Job, RotationWish } from '../cli/host.ts'
import { ServiceError } from '../errors.ts'
import type { Key } from '../keys/key.ts'
import { deadline } from '../lib/deadline.ts'
import { ulidSource } from '../lib/ulid.ts'
import type { Asked, DecisionDeps, RotationDeps } from '../rotation/job.ts'
import { rotate, type RotationResult } from '../rotation/rotate.ts'
import { planKey } from '../rotation/tick.ts'
import { findInAudit, verifyAudit } from '../service/audit.ts'
import { leftBehind } from '../service/left-behind.ts'
import { listKeys, publicForms } from '../service/list-keys.ts'
import { revoke } from '../service/revoke.ts'
import { terraformOf } from '../service/terraform.ts'
import { resume, suspend } from '../service/suspend.ts'
import type { KeyGenerator } from '../signing/signer.ts'
import type { LeaseHolder } from '../store/lease.ts'
import type { Store } from '../store/store.ts'
import {
  clock,
  openCheckedStore,
  openExistingStore,
  readConfig,
  readInputDigest,
  writerIdentity,
} from './foundation.ts'
import { currentActor } from './actor.ts'
import { cataloguesOf, checkCatalogue, generationsOf, syncCatalogues } from './catalogues.ts'
import { openDisabler } from './disablers.ts'
import { handworkOn } from './handwork.ts'
import { askRegistries, askVaults, explainTo } from './inquiries.ts'
import { registriesOf } from './registries.ts'
import { revocationDeps } from './revocation.ts'
import { guardVaults, nobody } from './vault-guards.ts'
import { openVaults, type ServiceConfig, surroundingsFor, type VaultConfig } from './vaults.ts'

/** Looking at every registry that a step depends on. */
const planMs = 20_000

/** Of one request to a vault: nobody waits for a job as for a signature. */
const vaultMs = 20_000

/** The other commands have to work in an incident, whatever somebody has changed about the keys. */
const makesVersions: readonly string[] = ['init', 'rotate', 'sync', 'import']

/** Opens what a command works on: configuration, store, and the vaults when it rotates. */
export async function openJob(configFile: string, command: string): Promise<Job> {
  const config = readConfig(configFile)
  const open = makesVersions.includes(command) ? openCheckedStore : openExistingStore
  const store = await open(config, writerIdentity(command, config))
  const deps = { store, clock, actor: currentActor() }
  const known = {
    keys: new Set<string>(config.keys.keys()),
    callers: new Set(config.callers.map(({ name }) => name)),
  }
  return {
    orphans: (key) => leftBehind(store, key),
    listKeys: () => listKeys(store, config.keys),
    publicForms: (key) => publicForms(store, key),
    async terraform(name) {
      const [key] = chosenKeys(config, [name])
      if (!key) throw new TypeError('one name is of one key')
      return terraformOf(store, key, config.registries)
    },
    async sync(name) {
      const keys = chosenKeys(config, name === undefined ? [] : [name])
      const registries = askRegistries(config, store, keys)
      // One key is looked at in an incident too, where its vault may be what is broken.
      const vaults = name === undefined ? askVaults(config, store, keys) : []
      return (await Promise.all([registries, vaults])).flat()
    },
    catalogued: () => catalogued(config, store),
    checkCatalogue: (file) => checkCatalogue(config, store, file),
    explain: (asked) => explainTo(config, store, asked),
    plan: (names, wish) => plan(config, store, names, wish),
    rotate: (names, wish) => rotateKeys(config, store, names, wish),
    ...handwork(config, store),
    revoke: (asked) => revoke(revocationDeps(config, store), asked),
    suspend: (asked) => suspend(deps, known, asked),
    resume: (asked) => resume(deps, asked),
    verifyAudit: (checkpoint, progress) => verifyAudit(store, checkpoint, progress),
    findInAudit: async (inputs) => findInAudit(store, await readInputDigest(config), inputs),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

async function plan(
  config: ServiceConfig,
  store: Store,
  names: readonly string[],
  wish: RotationWish,
) {
  const keys = chosenKeys(config, names)
  const deps = decisionDeps(config, store, askedFor(names, wish))
  using limit = deadline(planMs)
  const planned = keys.map(async (key) => {
    try {
      return { key: key.name, step: await planKey(deps, key, limit.signal) }
    } catch (error) {
      return { key: key.name, error }
    }
  })
  return await Promise.all(planned)
}

async function rotateKeys(
  config: ServiceConfig,
  store: Store,
  names: readonly string[],
  wish: RotationWish,
): Promise<RotationResult> {
  const asked = askedFor(names, wish)
  const keys = chosenKeys(config, names)
  const deps = await rotationDeps(config, store, asked)
  const { synced } = await syncCatalogues(config, deps, keys, holderOf(deps))
  if (synced.verdict === 'busy') return synced
  const failed = new Set(synced.failures.map(({ key }) => key))
  const good = keys.filter(({ name }) => !failed.has(name))
  const rotated = await rotate(deps, good, holderOf(deps))
  if (rotated.verdict === 'busy') return rotated
  return {
    ...rotated,
    steps: [...synced.steps, ...rotated.steps],
    failures: [...synced.failures, ...rotated.failures],
  }
}

async function catalogued(config: ServiceConfig, store: Store): Promise<Catalogued> {
  const deps = await rotationDeps(config, store, askedFor([], { now: 'no', isForced: false }))
  return syncCatalogues(config, deps, chosenKeys(config, []), holderOf(deps))
}

function holderOf({ newId }: RotationDeps): LeaseHolder {
  return { id: newId(clock.now()), pid: process.pid, isAlive }
}

function askedFor(names: readonly string[], wish: RotationWish): Asked {
  return { ...wish, isNamed: names.length > 0 }
}

function decisionDeps(config: ServiceConfig, store: Store, asked: Asked): DecisionDeps {
  const catalogues = cataloguesOf(config)
  return {
    store,
    policyOf: ({ name }) => configured(config.rotations.get(name), name),
    registryOf: registriesOf(config),
    provisionedOf: (key) => generationsOf(catalogues, key),
    clock,
    asked,
  }
}

/** What people do about keys that somebody else makes; what they have done lets the key go on. */
function handwork(config: ServiceConfig, store: Store) {
  const deps = { store, clock, actor: currentActor() }
  const holder = { id: ulidSource()(clock.now()), pid: process.pid, isAlive }
  const rotateOne = async (key: string) => {
    const result = await rotateKeys(config, store, [key], { now: 'no', isForced: false })
    const [failure] = result.verdict === 'done' ? result.failures : []
    if (failure) throw failure.error
  }
  const planOne = async (key: Key) => {
    using limit = deadline(planMs)
    const asked = { isNamed: false, now: 'no', isForced: false } as const
    return await planKey(decisionDeps(config, store, asked), key, limit.signal)
  }
  return handworkOn({ config, store, deps, holder, rotate: rotateOne, plan: planOne })
}

async function rotationDeps(
  config: ServiceConfig,
  store: Store,
  asked: Asked,
): Promise<RotationDeps> {
  const opened = await openVaults(config.vaults, 'operator') // first: it names the vault that cannot be used
  const patient = { clock, observer: nobody, deadlineMsMin: vaultMs }
  const { vaults } = guardVaults(opened, config.vaults, patient)
  const generators = await openGenerators(config)
  return {
    ...decisionDeps(config, store, asked),
    vaultOf: ({ vault }) => configured(vaults.get(vault), vault),
    generatorOf: ({ vault }) => configured(generators.get(vault), vault),
    disablerOf: (vault) => openDisabler(config, vault),
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

/** @throws {ServiceError} `refused`. */
function chosenKeys({ keys }: ServiceConfig, names: readonly string[]): readonly Key[] {
  if (names.length === 0) return [...keys.values()]
  return names.map((name) => {
    const key = keys.get(name)
    if (key) return key
    throw new ServiceError(
      'refused',
      `The configuration has no key ${name}: name one of keys, or none for all`,
    )
  })
}

/** https://nodejs.org/api/process.html#processkillpid-signal: signal 0 only asks. */
function isAlive(pid: number): boolean {
  // In a container every job has the same pid: a holder with ours was an earlier one.
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
