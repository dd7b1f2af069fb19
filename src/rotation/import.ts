import type { KeyObject } from 'node:crypto'
import { type ErrorCode, ServiceError, toServiceError } from '../errors.ts'
import { spkiSha256 } from '../keys/catalogue.ts'
import { isSameKey } from '../keys/identity.ts'
import type { Key } from '../keys/key.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import type { Clock } from '../lib/clock.ts'
import { deadline } from '../lib/deadline.ts'
import type { UlidSource } from '../lib/ulid.ts'
import type { FoundImport, ImportRequest, KeyImporter, Vault } from '../signing/signer.ts'
import {
  closeEntry,
  type JournalEntry,
  nextNumber,
  openEntries,
  openEntry,
} from '../store/journal.ts'
import { insertKeyFacts } from '../store/keys.ts'
import { type Lease, type LeaseHolder, releaseLease, takeLease } from '../store/lease.ts'
import { insertOrphan } from '../store/orphans.ts'
import { isRevokedDigest } from '../store/revoked-digests.ts'
import type { Store } from '../store/store.ts'
import { changeState, insertVersion, listVersions } from '../store/versions.ts'
import { adopt } from './adopt.ts'
import { findSettled } from './find-settled.ts'
import { planImport, type WantedImport } from './import-plan.ts'
import { recordOrphans } from './orphans.ts'
import { assertLease, renew } from './record.ts'

/** For one call; shorter than the lease, which is renewed before each. */
const callTimeoutMs = 20_000

export type ImportDeps = {
  readonly store: Store
  readonly vaultOf: (key: Key) => Vault
  readonly importerOf: (key: Key) => KeyImporter
  readonly clock: Clock
  readonly newId: UlidSource
  readonly actor: string
}

export type ImportWish = WantedImport & {
  /** Fit for the key and its vault. */
  readonly material: KeyObject
  /** What a human has compared at the key's registry, in words for the audit; undefined for nothing. */
  readonly compared: string | undefined
}

export type Imported = {
  readonly version: KeyVersion
  /** False for one that an earlier run had already recorded. */
  readonly isNew: boolean
  /** The version that was revoked in the same moment. */
  readonly replaced: KeyVersion | undefined
}

/**
 * Takes a key that somebody else made into the vault, and makes it a version: number and intent first,
 * then the vault, then one transaction. Safe to kill anywhere: the next run with the same key goes on
 * with what the vault has, and what is not that key is written down as an orphan, and never deleted.
 *
 * @throws {ServiceError} `refused` for a key that is somebody's already, or while another job is at work;
 *   `vault_*`, `signature_invalid`, `store_unavailable`.
 */
export async function importKey(
  deps: ImportDeps,
  wish: ImportWish,
  holder: LeaseHolder,
): Promise<Imported> {
  const { store, clock } = deps
  const lease = await takeLease(store, holder, clock.now())
  if (!lease) {
    throw new ServiceError('refused', 'Another job is at work on this store: run it again')
  }
  try {
    const plan = planImport(await listVersions(store.connection), wish)
    if (plan.kind === 'import') {
      const { replaces } = plan
      const version = await importNew({ deps, lease, wish, replaces })
      return { version, isNew: true, replaced: replaces }
    }
    await assertHeld({ deps, lease, wish }, plan.version)
    const version = await compared({ deps, lease, wish }, plan.version)
    return { version, isNew: false, replaced: undefined }
  } finally {
    await releaseLease(store, lease)
  }
}

type Run = {
  readonly deps: ImportDeps
  readonly lease: Lease
  readonly wish: ImportWish
}

/** Whoever imports a key again may be about to delete its last copy: its vault must have it now. */
async function assertHeld(run: Run, version: KeyVersion): Promise<void> {
  await renew(run.deps, run.lease)
  try {
    await readBack(run, version)
  } catch (error) {
    const { code, message, cause, details } = toServiceError(error)
    const name = versionName(version.key, version.n)
    const words = `${name} was imported already, and its vault does not prove that it has it: ${message}. Keep the key file`
    throw new ServiceError(code, words, { cause, details })
  }
}

/** A version that an earlier run recorded, before anybody had compared it. */
async function compared(run: Run, version: KeyVersion): Promise<KeyVersion> {
  if (version.state !== 'created' || !isPublication(run.wish)) return version
  const { deps, lease } = run
  const at = deps.clock.now()
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    await changeState(transaction.connection, version, 'published', at)
    transaction.record(changed(run, version, { before: 'created', after: 'published' }))
  })
  return { ...version, state: 'published', publishedAt: at }
}

/** The registry had the public half before we have the private one: to compare it is to publish it. */
function isPublication({ key: { registry }, compared: words }: ImportWish): boolean {
  return registry?.kind === 'manual' && words !== undefined
}

type Upload = Run & { readonly replaces: KeyVersion | undefined }

async function importNew(run: Upload): Promise<KeyVersion> {
  const { deps, wish } = run
  const open = await openEntries(deps.store.connection, wish.key.name)
  const entries = open.filter(({ step }) => step === 'import')
  if (await isRevoked(run)) return refuseRevoked(run, entries)
  for (const entry of entries) {
    const found = await goOn(run, entry)
    if (found !== 'another key') return found
  }
  const entry = await reserve(run)
  return upload(run, entry, (request, signal) => deps.importerOf(wish.key).import(request, signal))
}

/** By a catalogue, whatever version it was. A secret has no digest that may be told. */
async function isRevoked({ deps: { store }, wish: { identity } }: Run): Promise<boolean> {
  return 'spki' in identity && (await isRevokedDigest(store.connection, spkiSha256(identity.spki)))
}

/** Nothing is uploaded; and what earlier runs have uploaded nobody can go on with by this key. */
async function refuseRevoked(run: Run, entries: readonly JournalEntry[]): Promise<never> {
  for (const entry of entries) await abandon(run, entry, await leftBy(run, entry))
  throw new ServiceError(
    'refused',
    'This key pair is revoked: it can never sign. Have a new one made, and import that',
  )
}

/** The intent is durable, and its number taken, before the vault is asked. */
async function reserve({ deps, lease, wish: { key } }: Run): Promise<JournalEntry> {
  const at = deps.clock.now()
  return deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    const n = await nextNumber(transaction.connection, key.name)
    const entry = { id: deps.newId(at), step: 'import', key: key.name, n, at } as const
    await openEntry(transaction, entry)
    return entry
  })
}

/** With what an earlier run has left behind, if it is for this key. */
async function goOn(run: Upload, entry: JournalEntry): Promise<KeyVersion | 'another key'> {
  const found = await leftBy(run, entry)
  if (found.length === 0) {
    const importer = run.deps.importerOf(run.wish.key)
    return upload(run, entry, (request, signal) => importer.import(request, signal))
  }
  for (const one of found) {
    const others = found.filter((other) => other !== one).map(({ resource }) => resource)
    const put = async (request: ImportRequest, signal: AbortSignal) => {
      await one.fill?.(request, signal)
      return one.resource
    }
    try {
      return await upload(run, entry, put, others)
    } catch (error) {
      if (!isAnother(error)) throw error
    }
  }
  await abandon(run, entry, found)
  return 'another key'
}

/** Found in the vault by the tag of an earlier run. */
async function leftBy({ deps, lease, wish }: Run, { id }: JournalEntry) {
  await renew(deps, lease)
  using limit = deadline(callTimeoutMs)
  return await findSettled(deps.importerOf(wish.key), id, limit.signal)
}

/** What cannot be opened as this key is not this key: disabled, of another kind, of another pair. */
function isAnother(error: unknown): boolean {
  return toServiceError(error).code === 'vault_key_unusable'
}

/** Wraps, uploads, reads back, has it sign; then one transaction. */
async function upload(
  run: Upload,
  { id, n }: JournalEntry,
  put: (request: ImportRequest, signal: AbortSignal) => Promise<string>,
  others: readonly string[] = [],
): Promise<KeyVersion> {
  const { key, material } = run.wish
  const name = versionName(key.name, n)
  let isHeld = false
  try {
    await renew(run.deps, run.lease)
    using uploading = deadline(callTimeoutMs)
    const request = { intentId: id, name, algorithm: key.algorithm.name, material }
    const resource = await put(request, uploading.signal)
    isHeld = true
    await renew(run.deps, run.lease)
    const version = await readBack(run, { n, resource })
    return await record(run, id, version, others)
  } catch (error) {
    const failure = toServiceError(error)
    throw isHeld || openEnds.has(failure.code) ? withOrphan(failure, name, id) : failure
  }
}

/** What the vault has there, which has signed, and is the key that was given. */
async function readBack(
  { deps, wish }: Run,
  { n, resource }: Pick<KeyVersion, 'n' | 'resource'>,
): Promise<KeyVersion> {
  const { key, keyId } = wish
  using limit = deadline(callTimeoutMs)
  const { clock, actor } = deps
  const found = { key, n, resource, vault: deps.vaultOf(key), now: clock.now(), keyId, actor }
  const version = await adopt(found, limit.signal)
  if (!isSameKey(version, key.algorithm.name, wish.identity)) {
    throw new ServiceError('vault_key_unusable', 'The vault answers for another key than this one')
  }
  return version
}

/** One transaction: the version is there whole, with what a human has compared, or not at all. */
async function record(
  run: Upload,
  id: string,
  made: KeyVersion,
  others: readonly string[],
): Promise<KeyVersion> {
  const { deps, lease, wish, replaces } = run
  const at = made.createdAt
  // The one before has kept a place among those that sign only if it signs.
  const isSigning = replaces?.state === 'active'
  const version: KeyVersion = isPublication(wish)
    ? { ...made, state: 'published', publishedAt: at }
    : made
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    const { connection } = transaction
    await insertKeyFacts(transaction, wish.key, at)
    await insertVersion(connection, version)
    await closeEntry(transaction, id, version.resource)
    await recordOrphans(deps, transaction, { key: version.key, intent: id, resources: others })
    transaction.record(changed(run, version, { before: 'none', after: version.state }))
    if (!replaces) return
    await changeState(connection, replaces, 'revoked', at)
    const reason = `regenerated: ${versionName(version.key, version.n)} has its key id`
    const { state: before } = replaces
    transaction.record({ ...changed(run, replaces, { before, after: 'revoked' }), reason })
    if (!isSigning) return
    await changeState(connection, version, 'active', at)
    transaction.record(changed(run, version, { before: version.state, after: 'active' }))
  })
  return isSigning ? { ...version, state: 'active', activatedAt: at } : version
}

/** Nobody goes on with it: its key in the vault is for a human to look at. */
async function abandon(
  run: Run,
  { id, key, n }: JournalEntry,
  [found, ...others]: readonly FoundImport[],
): Promise<void> {
  if (!found) return
  const { deps, lease } = run
  const at = deps.clock.now()
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    const { resource } = found
    await closeEntry(transaction, id, resource)
    await insertOrphan(transaction, { key, n, intent: id, resource }, at)
    const change = { before: 'none', after: undefined } as const
    const reason = `an earlier import left a key in the vault, intent ${id}`
    transaction.record({ ...changed(run, { key, n }, change), reason })
    const resources = others.map((other) => other.resource)
    await recordOrphans(deps, transaction, { key, intent: id, resources })
  })
}

function changed(
  { deps: { clock, actor }, wish }: Run,
  { key, n }: Pick<KeyVersion, 'key' | 'n'>,
  change: {
    readonly before: KeyVersion['state'] | 'none'
    readonly after: KeyVersion['state'] | undefined
  },
) {
  const command = { type: 'command', command: 'import', at: clock.now(), actor } as const
  return { ...command, subject: versionName(key, n), reason: wish.compared, ...change }
}

/** After these, while it was asked, it is not known whether the vault has made a key. */
const openEnds: ReadonlySet<ErrorCode> = new Set([
  'vault_unavailable',
  'vault_throttled',
  'vault_denied',
  'vault_key_unusable',
  'signature_invalid',
  'deadline_exceeded',
  'store_unavailable',
  'internal_error',
])

function withOrphan(error: ServiceError, name: string, id: string): ServiceError {
  const message = `${error.message}. The vault may hold it already, as ${name} with the tag chancery:intent=${id}: run the same command again to go on`
  return new ServiceError(error.code, message, { cause: error.cause, details: error.details })
}
