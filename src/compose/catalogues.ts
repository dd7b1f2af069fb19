import type { CatalogueCheck, Catalogued } from '../cli/host.ts'
import { loadCatalogue, loadCatalogues, loadPlannedCatalogue } from '../config/catalogues.ts'
import type { Catalogues } from '../keys/catalogue.ts'
import type { Key } from '../keys/key.ts'
import { versionName } from '../keys/version.ts'
import type { ProvisionedGenerations, RotationDeps } from '../rotation/job.ts'
import { syncGenerations } from '../rotation/sync.ts'
import { effectOf, forbidDigests, maySign } from '../service/catalogue.ts'
import type { LeaseHolder } from '../store/lease.ts'
import type { Store } from '../store/store.ts'
import { listVersions } from '../store/versions.ts'
import { clock } from './foundation.ts'
import { revokeIn } from './revocation.ts'
import type { ServiceConfig } from './vaults.ts'

/** @throws {ServiceError} `config_invalid`. */
export function cataloguesOf(config: ServiceConfig): Catalogues {
  return loadCatalogues(config.catalogues, config)
}

/** What Terraform lets a key's generations do; undefined for a key that it has nothing to do with. */
export function generationsOf(
  { keys }: Catalogues,
  { name, source }: Key,
): ProvisionedGenerations | undefined {
  if (source !== 'provisioned') return undefined
  const generations = Object.entries(keys.get(name)?.generations ?? {})
  const enabled = generations.filter(([, { state }]) => state === 'enabled')
  const [initial] = generations.find(([, one]) => one.initial === true) ?? []
  return { enabled: new Set(enabled.map(([generation]) => generation)), initial }
}

/** Catalogue → store: what is revoked first, then what may come to sign. */
export async function syncCatalogues(
  config: ServiceConfig,
  deps: RotationDeps,
  keys: readonly Key[],
  holder: LeaseHolder,
): Promise<Catalogued> {
  const catalogues = cataloguesOf(config)
  const revoked: string[] = []
  for (const version of await forbidDigests(deps.store, catalogues.revoked, clock.now())) {
    const reason = 'revoked by a catalogue'
    await revokeIn(config, deps.store, { version, reason })
    revoked.push(version)
  }
  const synced = await syncGenerations(deps, keys, catalogues, holder)
  const ignored = [...catalogues.keys.keys()].filter((name) => !config.keys.has(name))
  return { synced, revoked, ignored, cutOff: await cutOffBy(config, deps.store, catalogues) }
}

/** Versions that sign, or stand by to, and that Terraform no longer lets. */
async function cutOffBy(
  config: ServiceConfig,
  { connection }: Store,
  catalogues: Catalogues,
): Promise<readonly string[]> {
  const keys = Object.fromEntries(catalogues.keys)
  const versions = await listVersions(connection)
  return versions
    .filter(({ key }) => config.keys.has(key))
    .filter(
      ({ source, state }) =>
        source === 'provisioned' && (state === 'active' || state === 'published'),
    )
    .filter((version) => !maySign(version, { keys }))
    .map(({ key, n }) => versionName(key, n))
}

/** Whether a file, or what a plan knows of it, may take the place of the catalogue that has its keys now. */
export async function checkCatalogue(
  config: ServiceConfig,
  store: Store,
  file: string,
): Promise<CatalogueCheck> {
  const catalogue = loadPlannedCatalogue(file, config)
  const names = new Set<string>(Object.keys(catalogue.keys))
  // With one catalogue it takes the place of that one, whatever it names.
  const beside = config.catalogues.filter((other) => {
    if (config.catalogues.length === 1) return false
    return Object.keys(loadCatalogue(other, config).keys).every((name) => !names.has(name))
  })
  const configured = new Set<string>(config.keys.keys())
  return effectOf(store, catalogue, { configured, others: loadCatalogues(beside, config) })
}
