import type { PlannedCatalogue } from './catalogue.ts'
import type { KeyVersion } from './version.ts'

/** By the catalogue's word: its generation is enabled, and is still the same key, where that is known. */
export function maySign(
  { key, generation = '', resource }: KeyVersion,
  { keys }: Pick<PlannedCatalogue, 'keys'>,
): boolean {
  const generations = own(keys, key)?.generations ?? {}
  const entry = own(generations, generation)
  if (entry?.state !== 'enabled') return false
  if (entry.resource === undefined) return true
  return resource === entry.resource || resource.startsWith(`${entry.resource}/`)
}

/** It signs, or may come to, and Terraform does not let it. */
export function isCutOff(version: KeyVersion, catalogue: Pick<PlannedCatalogue, 'keys'>): boolean {
  return version.source === 'provisioned' && !maySign(version, catalogue)
}

/** Not what every object has: `constructor` is a name like any other. */
function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
