import type { CatalogueCheck, Catalogued, CutOff } from '../cli/host.ts'
import { loadCatalogue, loadCatalogues, loadPlannedCatalogue } from '../config/catalogues.ts'
import type { Catalogues } from '../keys/catalogue.ts'
import type { Key } from '../keys/key.ts'
import { mayBeSwitchedTo } from '../keys/lifecycle.ts'
import { isCutOff, maySign } from '../keys/may-sign.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import type { ProvisionedGenerations } from '../rotation/job.ts'
import { effectOf, type Ended, revokeDigests } from '../service/catalogue.ts'
import type { Store } from '../store/store.ts'
import { listVersions } from '../store/versions.ts'
import { revocationDeps } from './revocation.ts'
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

/** What they revoke, in force. No vault is opened for it. */
export async function revokedBy(
  config: ServiceConfig,
  store: Store,
  catalogues: Catalogues,
): Promise<Ended> {
  const keys = Object.fromEntries(catalogues.keys)
  const isEnabled = (version: KeyVersion) => maySign(version, { keys })
  const deps = { ...revocationDeps(async () => config, store), readEnabled: async () => isEnabled }
  return revokeDigests(deps, catalogues.revoked)
}

/** Where catalogues and configuration, and the versions of some keys, differ still. */
export async function straysOf(
  config: ServiceConfig,
  { connection }: Store,
  chosen: readonly Key[],
  catalogues: Catalogues,
): Promise<Pick<Catalogued, 'ignored' | 'cutOff'>> {
  const ignored = [...catalogues.keys.keys()].filter((name) => !config.keys.has(name))
  // One that is rotated otherwise by now needs no catalogue's word.
  const provisioned = chosen.filter(({ source }) => source === 'provisioned')
  const names = new Set<string>(provisioned.map(({ name }) => name))
  const keys = Object.fromEntries(catalogues.keys)
  const cutOff = (await listVersions(connection))
    .filter(({ key }) => names.has(key))
    .filter(({ state }) => mayBeSwitchedTo(state) || state === 'active')
    .filter((version) => isCutOff(version, { keys }))
  return { ignored, cutOff: cutOff.map(cutOffOf) }
}

function cutOffOf({ key, n, state }: KeyVersion): CutOff {
  return { key, version: versionName(key, n), isSigning: state === 'active' }
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
