import { type Catalogues, type PlannedCatalogue, spkiSha256 } from '../keys/catalogue.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import { insertRevokedDigest } from '../store/revoked-digests.ts'
import type { Store } from '../store/store.ts'
import { listVersions } from '../store/versions.ts'

/** Digests that can never sign from now on, and `key@n` of those that are versions and not revoked yet. */
export async function forbidDigests(
  store: Store,
  digests: ReadonlySet<string>,
  now: number,
): Promise<readonly string[]> {
  if (digests.size === 0) return []
  await store.writeTransaction(async (transaction) => {
    for (const digest of digests) await insertRevokedDigest(transaction, digest, now)
  })
  const versions = await listVersions(store.connection)
  return versions.filter((version) => isNamed(version, digests)).map(nameOf)
}

/** What a catalogue would do to the versions that there are. */
export type CatalogueEffect = {
  /** `key@n` of versions that sign, and that it would no longer let sign. */
  readonly cutsOff: readonly string[]
  /** `key@n` of versions that it would revoke. */
  readonly revokes: readonly string[]
}

/**
 * @param around the keys that are configured, as no other signs, and those that stand in catalogues beside
 *   the one that it replaces.
 */
export async function effectOf(
  { connection }: Store,
  catalogue: PlannedCatalogue,
  { configured, others }: { readonly configured: ReadonlySet<string>; readonly others: Catalogues },
): Promise<CatalogueEffect> {
  const versions = await listVersions(connection)
  const digests = new Set(catalogue.revoked)
  const revokes = versions.filter((version) => isNamed(version, digests))
  const cutsOff = versions.filter(
    (version) =>
      version.state === 'active' &&
      version.source === 'provisioned' &&
      configured.has(version.key) &&
      !revokes.includes(version) &&
      !others.keys.has(version.key) &&
      !maySign(version, catalogue),
  )
  return { cutsOff: cutsOff.map(nameOf), revokes: revokes.map(nameOf) }
}

/** By the catalogue's word: its generation is enabled, and is still the same key, where that is known. */
export function maySign(
  { key, generation = '', resource }: KeyVersion,
  { keys }: Pick<PlannedCatalogue, 'keys'>,
): boolean {
  const entry = Object.entries(keys).find(([name]) => name === key)?.[1].generations[generation]
  if (entry?.state !== 'enabled') return false
  if (entry.resource === undefined) return true
  return resource === entry.resource || resource.startsWith(`${entry.resource}/`)
}

function isNamed({ spki, state }: KeyVersion, digests: ReadonlySet<string>): boolean {
  return spki !== undefined && state !== 'revoked' && digests.has(spkiSha256(spki))
}

function nameOf({ key, n }: KeyVersion): string {
  return versionName(key, n)
}
