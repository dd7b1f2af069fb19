import { stat } from 'node:fs/promises'
import { loadCatalogues } from '../config/catalogues.ts'
import { isCutOff } from '../keys/may-sign.ts'
import type { KeyVersion } from '../keys/version.ts'
import { errnoOf } from '../lib/file.ts'
import type { ServiceConfig } from './vaults.ts'

type Cataloguing = Pick<ServiceConfig, 'catalogues' | 'environment' | 'keys'>

type CutOff = ((version: KeyVersion) => boolean) | undefined

/**
 * Whether the catalogues, as their files are now, let a version sign; undefined while they cannot be read. Only said,
 * never gone by: what signs is the store's decision, and a rotation's to change.
 *
 * @returns to be asked again and again: files that have not changed are not read again.
 */
export function cutOffByFiles(config: Cataloguing): () => Promise<CutOff> {
  let last: { readonly marks: string; readonly isCutOff: CutOff } | undefined
  return async () => {
    // Before they are read: of a file that changes meanwhile the next look finds another mark.
    const marks = (await Promise.all(config.catalogues.map(markOf))).join(' ')
    if (last?.marks !== marks) last = { marks, isCutOff: read(config) }
    return last.isCutOff
  }
}

/** Another one when the file is written, replaced, or given to other readers. */
async function markOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true })
    return `${ino}:${size}:${mtimeNs}:${ctimeNs}`
  } catch (error) {
    return errnoOf(error) ?? 'unknown'
  }
}

function read(config: Cataloguing): CutOff {
  try {
    const keys = Object.fromEntries(loadCatalogues(config.catalogues, config).keys)
    // One that is rotated otherwise by now needs no catalogue's word.
    const isProvisioned = (key: string) => config.keys.get(key)?.source === 'provisioned'
    return (version) => isProvisioned(version.key) && isCutOff(version, { keys })
  } catch {
    return undefined
  }
}
