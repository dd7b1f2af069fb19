import { ServiceError, toServiceError } from '../errors.ts'
import { spkiSha256 } from '../keys/catalogue.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import type { ImportRequest } from '../signing/signer.ts'
import { type JournalEntry, nextNumber, openEntries, openEntry } from '../store/journal.ts'
import { type LeaseHolder, releaseLease, takeLease } from '../store/lease.ts'
import { isRevokedDigest } from '../store/revoked-digests.ts'
import { changeState, listVersions } from '../store/versions.ts'
import { abandon, leftBy } from './abandon.ts'
import { clocksOf } from './clocks-of.ts'
import { planImport } from './import-plan.ts'
import {
  changed,
  type ImportDeps,
  type ImportWish,
  isPublication,
  type Run,
  type Upload,
} from './import-run.ts'
import { assertLease, renew } from './record.ts'
import { readBack, upload } from './upload.ts'

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
  deps.clocks.assertRight(clocksOf(run.wish.key))
  const at = deps.clock.now()
  await deps.store.writeTransaction(async (transaction) => {
    await assertLease(transaction, lease, at)
    await changeState(transaction.connection, version, 'published', at)
    transaction.record(changed(run, version, { before: 'created', after: 'published' }))
  })
  return { ...version, state: 'published', publishedAt: at }
}

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

/** What cannot be opened as this key is not this key: disabled, of another kind, of another pair. */
function isAnother(error: unknown): boolean {
  return toServiceError(error).code === 'vault_key_unusable'
}
