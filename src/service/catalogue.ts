import { type Catalogues, type PlannedCatalogue, spkiSha256 } from '../keys/catalogue.ts'
import { maySign } from '../keys/may-sign.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import { insertRevokedDigest } from '../store/revoked-digests.ts'
import { revoke, type RevokeDeps, type Revoked } from './revoke.ts'
import type { Store } from '../store/store.ts'
import { listVersions } from '../store/versions.ts'

/** What became of the versions that catalogues revoke. */
export type Ended = {
  readonly revoked: readonly Revoked[]
  /** Of those that the store did not let end: the next run tries again. */
  readonly unrevoked: readonly { readonly key: string; readonly error: unknown }[]
}

/**
 * Revokes what catalogues name, each version as soon as the store can: the release windows pass, and registries and
 * vaults are told, side by side.
 *
 * @throws {ServiceError} `store_unavailable`.
 */
export async function revokeDigests(
  deps: RevokeDeps,
  digests: ReadonlySet<string>,
): Promise<Ended> {
  const named = await forbidDigests(deps.store, digests, deps.clock.now())
  const asked = named.map(async (version): Promise<Ended> => {
    try {
      const reason = 'revoked by a catalogue'
      const revoked = await revoke(deps, { version: nameOf(version), reason })
      return { revoked: [revoked], unrevoked: [] }
    } catch (error) {
      return { revoked: [], unrevoked: [{ key: version.key, error }] }
    }
  })
  const ended = await Promise.all(asked)
  return {
    revoked: ended.flatMap(({ revoked }) => revoked),
    unrevoked: ended.flatMap(({ unrevoked }) => unrevoked),
  }
}

/**
 * Digests that can never sign from now on.
 *
 * @returns the versions among them that are not revoked yet, in the order in which they are to be: those that
 *   sign last, so that none of the others is promoted.
 */
async function forbidDigests(
  store: Store,
  digests: ReadonlySet<string>,
  now: number,
): Promise<readonly KeyVersion[]> {
  if (digests.size === 0) return []
  await store.writeTransaction(async (transaction) => {
    for (const digest of digests) await insertRevokedDigest(transaction, digest, now)
  })
  const named = await namedBy(store, digests)
  const signsNow = ({ state }: KeyVersion) => Number(state === 'active')
  return named.toSorted((one, other) => signsNow(one) - signsNow(other))
}

/** The versions that catalogues would revoke. */
export async function namedBy(
  { connection }: Store,
  digests: ReadonlySet<string>,
): Promise<readonly KeyVersion[]> {
  const versions = await listVersions(connection)
  return versions.filter((version) => isNamed(version, digests))
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

function isNamed({ spki, state }: KeyVersion, digests: ReadonlySet<string>): boolean {
  return spki !== undefined && state !== 'revoked' && digests.has(spkiSha256(spki))
}

function nameOf({ key, n }: KeyVersion): string {
  return versionName(key, n)
}
