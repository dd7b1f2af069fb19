import { loadCatalogues } from '../config/catalogues.ts'
import { isCutOff } from '../keys/may-sign.ts'
import type { KeyVersion } from '../keys/version.ts'
import type { ServiceConfig } from './vaults.ts'

/**
 * Whether the catalogues, as their files are now, let a version sign; undefined while they cannot be read. Only said,
 * never gone by: what signs is the store's decision, and a rotation's to change.
 */
export function cutOffBy(config: ServiceConfig): ((version: KeyVersion) => boolean) | undefined {
  try {
    const keys = Object.fromEntries(loadCatalogues(config.catalogues, config).keys)
    return (version) => isCutOff(version, { keys })
  } catch {
    return undefined
  }
}
