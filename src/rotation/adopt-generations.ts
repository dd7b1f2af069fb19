import { ServiceError } from '../errors.ts'
import { type CatalogueKey, type Generation, spkiSha256 } from '../keys/catalogue.ts'
import type { Key } from '../keys/key.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import { nextNumber } from '../store/journal.ts'
import { insertKeyFacts } from '../store/keys.ts'
import type { Lease } from '../store/lease.ts'
import type { Store } from '../store/store.ts'
import { isRevokedDigest } from '../store/revoked-digests.ts'
import { insertVersion, listVersionsOf } from '../store/versions.ts'
import { adopt } from './adopt.ts'
import { clocksOf } from './clocks-of.ts'
import type { Done, RotationDeps } from './job.ts'
import { lastSigning } from './next-step.ts'
import { assertLease, changed, renew } from './record.ts'

export type NewGeneration = { readonly name: string; readonly generation: Generation }

/**
 * What a sync would begin with, without asking the vault; undefined where it has nothing to take.
 *
 * @throws {ServiceError} as `newGenerations`; `clock_wrong`.
 */
export async function planAdoption(
  { store, clocks }: Pick<RotationDeps, 'store' | 'clocks'>,
  key: Key,
  catalogueKey: CatalogueKey | undefined,
): Promise<{ readonly generation: string; readonly n: number } | undefined> {
  const [first] = await newGenerations(store, key, catalogueKey)
  if (!first) return undefined
  clocks.assertRight(clocksOf(key))
  return { generation: first.name, n: await nextNumber(store.connection, key.name) }
}

/**
 * Those that Terraform has made and enabled, and that are no versions yet, in the order of their names.
 *
 * @throws {ServiceError} `refused` for a generation that is another key than it was, has another public key than
 *   its catalogue says, or comes before one that has its number; and where several could be the first to sign and
 *   none is said to be.
 */
export async function newGenerations(
  { connection }: Store,
  key: Key,
  catalogueKey: CatalogueKey | undefined,
): Promise<readonly NewGeneration[]> {
  const versions = await listVersionsOf(connection, key.name)
  if (!catalogueKey) {
    throw refused(`No catalogue has ${key.name}: add the one that Terraform writes for it`)
  }
  const generations = Object.entries(catalogueKey.generations).toSorted(byName)
  for (const [name, generation] of generations) assertSame(versions, name, generation)
  const known = new Set(versions.map(({ generation }) => generation))
  const found = generations.filter(([name, { state }]) => state === 'enabled' && !known.has(name))
  assertOrder(
    versions,
    found.map(([name]) => name),
  )
  assertOneFirst(key, versions, generations)
  return found.map(([name, generation]) => ({ name, generation }))
}

/**
 * Takes one as a version. Nothing is made here: a run that ends in the middle is gone on with by the next.
 *
 * @throws {ServiceError} `refused` for another public key than its catalogue says; `vault_*` for what its vault
 *   says, `clock_wrong` for its clock.
 */
export async function adoptGeneration(
  deps: RotationDeps,
  lease: Lease,
  key: Key,
  { name, generation }: NewGeneration,
  signal: AbortSignal,
): Promise<Done> {
  await renew(deps, lease)
  const { connection } = deps.store
  const n = await nextNumber(connection, key.name)
  const at = deps.clock.now()
  const { resource } = generation
  const vault = deps.vaultOf(key)
  const found = await adopt({ key, n, resource, vault, now: at, actor: deps.actor }, signal)
  const digest = found.spki && spkiSha256(found.spki)
  const expected = generation.public_key_sha256
  if (expected !== undefined && expected !== digest) {
    throw refused(
      `Generation ${name} of ${key.name} has another public key than its catalogue says`,
    )
  }
  const isRevoked = digest !== undefined && (await isRevokedDigest(connection, digest))
  if (!isRevoked) deps.clocks.assertRight(clocksOf(key)) // from when it was made its propagation is counted
  const ended = isRevoked ? ({ state: 'revoked', endedAt: at } as const) : {}
  const version: KeyVersion = { ...found, source: 'provisioned', generation: name, ...ended }
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    await insertKeyFacts(transaction, key, at)
    await insertVersion(transaction.connection, version)
    const change = {
      at,
      before: 'none',
      after: version.state,
      reason: `generation ${name}`,
    } as const
    transaction.record(changed(deps, version, change))
  })
  return { version: versionName(key.name, n), step: 'adopted' }
}

/** Versions are pinned: what its name once meant, a generation means for ever. */
function assertSame(
  versions: readonly KeyVersion[],
  name: string,
  { resource, public_key_sha256: expected }: Generation,
): void {
  const version = versions.find(({ generation }) => generation === name)
  if (!version) return
  const of = versionName(version.key, version.n)
  // Azure's catalogue names a key, and the version was pinned when it was adopted.
  const isSame = version.resource === resource || version.resource.startsWith(`${resource}/`)
  if (!isSame) throw refused(`Generation ${name} is another key than ${of}: give it another name`)
  if (expected === undefined || !version.spki || spkiSha256(version.spki) === expected) return
  throw refused(`Generation ${name} has another public key in its catalogue than ${of}`)
}

function assertOrder(versions: readonly KeyVersion[], found: readonly string[]): void {
  const last = versions.findLast(({ generation }) => generation !== undefined)
  const late = found.find((name) => name < (last?.generation ?? ''))
  if (late === undefined || !last) return
  const words = `Generation ${late} comes before ${last.generation}, which is ${last.key}@${last.n} already`
  throw refused(`${words}: give it a later name`)
}

/** Which one signs first is a decision, and not one of the order of names. */
function assertOneFirst(
  key: Key,
  versions: readonly KeyVersion[],
  generations: readonly (readonly [string, Generation])[],
): void {
  if (lastSigning(versions)) return
  const candidates = generations.filter(([, { state }]) => state === 'enabled')
  if (candidates.length < 2 || candidates.some(([, { initial }]) => initial === true)) return
  const names = candidates.map(([name]) => name).join(', ')
  throw refused(`${key.name} could begin with ${names}: mark the one to sign first as initial`)
}

function byName(
  [one]: readonly [string, Generation],
  [other]: readonly [string, Generation],
): number {
  return one < other ? -1 : 1
}

function refused(message: string): ServiceError {
  return new ServiceError('refused', message)
}
