import type { Job } from '../cli/host.ts'
import { ClockWatch } from '../lib/clock-watch.ts'
import type { Store } from '../store/store.ts'
import { currentActor } from './actor.ts'
import { chosenKey, chosenKeys } from './chosen-keys.ts'
import {
  clock,
  openCheckedStore,
  openExistingStore,
  readConfig,
  readInputDigest,
  writerIdentity,
} from './foundation.ts'
import type { Rotating } from './rotation-deps.ts'
import type { ServiceConfig } from './vaults.ts'

/** The other commands have to work in an incident, whatever somebody has changed about the keys. */
const makesVersions: readonly string[] = ['init', 'rotate', 'sync', 'import']

/**
 * Opens what a command works on: configuration and store. Each verb loads what it needs, so that a
 * suspension waits for nothing of a rotation.
 */
export async function openJob(configFile: string, command: string): Promise<Job> {
  const config = readConfig(configFile)
  const open = makesVersions.includes(command) ? openCheckedStore : openExistingStore
  const store = await open(config, writerIdentity(command, config))
  const clocks = new ClockWatch(clock)
  return {
    ...listing(config, store),
    ...stopping(config, store),
    ...rotating({ config, store, clocks }),
    ...inquiries(config, store, clocks),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

function listing(config: ServiceConfig, store: Store) {
  const service = () => import('../service/list-keys.ts')
  return {
    listKeys: async () => (await service()).listKeys(store, config.keys),
    publicForms: async (key) => (await service()).publicForms(store, key),
    orphans: async (key) => (await import('../service/left-behind.ts')).leftBehind(store, key),
    async terraform(name) {
      const { terraformOf } = await import('../service/terraform.ts')
      return terraformOf(store, chosenKey(config, name), config.registries)
    },
  } satisfies Partial<Job>
}

/** What an incident is ended with: nothing else is loaded before it is in force. */
function stopping(config: ServiceConfig, store: Store) {
  const service = () => import('../service/suspend.ts')
  const deps = { store, clock, actor: currentActor() }
  const known = {
    keys: new Set<string>(config.keys.keys()),
    callers: new Set(config.callers.map(({ name }) => name)),
  }
  return {
    suspend: async (asked) => (await service()).suspend(deps, known, asked),
    resume: async (asked) => (await service()).resume(deps, asked),
  } satisfies Partial<Job>
}

function rotating(parts: Rotating) {
  const composed = () => import('./rotating.ts')
  const handwork = async () => (await composed()).handworkWith(parts)
  return {
    plan: async (names, wish) => (await composed()).plan(parts, names, wish),
    rotate: async (names, wish) => (await composed()).rotateKeys(parts, names, wish),
    catalogued: async () => (await composed()).catalogued(parts),
    clocks: () => parts.clocks.readings,
    import: async (wish) => (await handwork()).import(wish),
    confirmFingerprint: async (word) => (await handwork()).confirmFingerprint(word),
    confirmDeleted: async (word) => (await handwork()).confirmDeleted(word),
    tasks: async () => (await handwork()).tasks(),
  } satisfies Partial<Job>
}

function inquiries(config: ServiceConfig, store: Store, clocks: ClockWatch) {
  const composed = () => import('./inquiries.ts')
  const audit = () => import('../service/audit.ts')
  return {
    async sync(name) {
      const { askRegistries, askVaults } = await composed()
      const keys = chosenKeys(config, name === undefined ? [] : [name])
      const registries = askRegistries(config, store, keys, clocks)
      const vaults = name === undefined ? askVaults(config, store, keys, clocks) : []
      return (await Promise.all([registries, vaults])).flat()
    },
    vaultFailures: async (name) =>
      (await composed()).askVaultOf(config, store, chosenKey(config, name)),
    checkCatalogue: async (file) =>
      (await import('./catalogues.ts')).checkCatalogue(config, store, file),
    explain: async (asked) => (await composed()).explainTo(config, store, asked),
    verifyAudit: async (checkpoint, progress) =>
      (await audit()).verifyAudit(store, checkpoint, progress),
    findInAudit: async (inputs) =>
      (await audit()).findInAudit(store, await readInputDigest(config), inputs),
  } satisfies Partial<Job>
}
