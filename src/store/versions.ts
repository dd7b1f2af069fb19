import { z } from 'zod'
import { spkiSha256 } from '../keys/catalogue.ts'
import { sources } from '../keys/key.ts'
import { algorithmName, custody, type KeyVersion, versionName } from '../keys/version.ts'
import { mayBecome, versionStates, type VersionState } from '../keys/lifecycle.ts'
import { ServiceError } from '../errors.ts'
import { isRevokedDigest } from './revoked-digests.ts'
import type { Connection } from './store.ts'
import type { NewVersionRow, VersionRow } from './schema.ts'

const instant = z
  .int()
  .nullable()
  .transform((at) => at ?? undefined)
const bytes = z
  .instanceof(Uint8Array)
  .nullable()
  .transform((value) => (value ? new Uint8Array(value) : undefined))

/** A row is parsed like any other input: a store that something else wrote to is not trusted. */
const versionRow = z
  .object({
    key: z.string(),
    n: z.int().positive(),
    state: z.enum(versionStates),
    source: z.enum(sources),
    custody,
    vault: z.string(),
    resource: z.string(),
    alg: algorithmName,
    spki: bytes,
    known_answer: bytes,
    kid: z.string(),
    generation: z
      .string()
      .nullable()
      .transform((name) => name ?? undefined),
    created_at: z.int(),
    made_by: z.string(),
    published_at: instant,
    activated_at: instant,
    retiring_at: instant,
    ended_at: instant,
    withdrawn_at: instant,
    disabled_at: instant,
  })
  .transform((row): KeyVersion => ({
    key: row.key,
    n: row.n,
    state: row.state,
    source: row.source,
    custody: row.custody,
    vault: row.vault,
    resource: row.resource,
    algorithm: row.alg,
    spki: row.spki,
    knownAnswer: row.known_answer,
    kid: row.kid,
    generation: row.generation,
    createdAt: row.created_at,
    madeBy: row.made_by,
    publishedAt: row.published_at,
    activatedAt: row.activated_at,
    retiringAt: row.retiring_at,
    endedAt: row.ended_at,
    withdrawnAt: row.withdrawn_at,
    disabledAt: row.disabled_at,
  }))

/** @throws {ServiceError} `store_unavailable` for a row that this program did not write. */
export function readVersionRow(row: unknown): KeyVersion {
  const parsed = versionRow.safeParse(row)
  if (parsed.success) return parsed.data
  throw new ServiceError('store_unavailable', 'The store holds a version that cannot be read', {
    cause: parsed.error,
  })
}

/** All versions, also those that have ended: by key, then oldest first. */
export async function listVersions(connection: Connection): Promise<readonly KeyVersion[]> {
  const rows = await connection
    .selectFrom('versions')
    .selectAll()
    .orderBy('key')
    .orderBy('n')
    .execute()
  return rows.map(readVersionRow)
}

/** One key's, oldest first. */
export async function listVersionsOf(
  connection: Connection,
  key: string,
): Promise<readonly KeyVersion[]> {
  const rows = await connection
    .selectFrom('versions')
    .selectAll()
    .where('key', '=', key)
    .orderBy('n')
    .execute()
  return rows.map(readVersionRow)
}

export async function findVersion(
  connection: Connection,
  key: string,
  n: number,
): Promise<KeyVersion | undefined> {
  const row = await connection
    .selectFrom('versions')
    .selectAll()
    .where('key', '=', key)
    .where('n', '=', n)
    .executeTakeFirst()
  return row && readVersionRow(row)
}

/**
 * @throws {ServiceError} `refused` when the key pair is already that of a version: one SPKI is
 *   unique over all keys, or a revoked pair could come back under another name.
 */
export async function insertVersion(connection: Connection, version: KeyVersion): Promise<void> {
  if (version.spki) {
    const other = await connection
      .selectFrom('versions')
      .select(['key', 'n'])
      .where('spki', '=', version.spki)
      .executeTakeFirst()
    if (other) throw new ServiceError('refused', `This key pair is already ${other.key}@${other.n}`)
    const isRevoked = await isRevokedDigest(connection, spkiSha256(version.spki))
    if (isRevoked && version.state !== 'revoked') {
      throw new ServiceError('refused', 'This key pair is revoked: it can never sign')
    }
  }
  await connection.insertInto('versions').values(toRow(version)).execute()
}

function toRow(version: KeyVersion): NewVersionRow {
  return {
    key: version.key,
    n: version.n,
    state: version.state,
    source: version.source,
    custody: version.custody,
    vault: version.vault,
    resource: version.resource,
    alg: version.algorithm,
    spki: version.spki ?? null,
    known_answer: version.knownAnswer ?? null,
    kid: version.kid,
    generation: version.generation ?? null,
    created_at: version.createdAt,
    made_by: version.madeBy,
    published_at: version.publishedAt ?? null,
    activated_at: version.activatedAt ?? null,
    retiring_at: version.retiringAt ?? null,
    ended_at: version.endedAt ?? null,
    withdrawn_at: version.withdrawnAt ?? null,
    disabled_at: version.disabledAt ?? null,
  } satisfies VersionRow
}

/**
 * Moves a version along its life, from the state that it was read in.
 *
 * @throws {ServiceError} `refused` for a step that the lifecycle does not have, and when somebody
 *   else has moved the version since it was read.
 */
export async function changeState(
  connection: Connection,
  version: KeyVersion,
  to: VersionState,
  now: number,
): Promise<void> {
  if (!mayBecome(version.state, to)) {
    throw new ServiceError('refused', `A ${version.state} version cannot become ${to}`)
  }
  const { numUpdatedRows } = await connection
    .updateTable('versions')
    .set({ state: to, ...instantOf(to, now) })
    .where('key', '=', version.key)
    .where('n', '=', version.n)
    .where('state', '=', version.state)
    .executeTakeFirst()
  if (numUpdatedRows !== 1n) throw moved(version)
}

/**
 * In the transaction of what relies on a version's state, but does not change it.
 *
 * @throws {ServiceError} `refused` when somebody else has moved the version since it was read.
 */
export async function assertUnmoved(connection: Connection, version: KeyVersion): Promise<void> {
  const found = await findVersion(connection, version.key, version.n)
  if (found?.state !== version.state) throw moved(version)
}

function moved({ key, n, state }: KeyVersion): ServiceError {
  return new ServiceError('refused', `${versionName(key, n)} is no longer ${state}: look again`)
}

/** When a version came to a state, in the state's own column. */
function instantOf(state: VersionState, now: number) {
  switch (state) {
    case 'created':
      return {}
    case 'published':
      return { published_at: now }
    case 'active':
      return { activated_at: now }
    case 'retiring':
      return { retiring_at: now }
    case 'retired':
    case 'revoked':
      return { ended_at: now }
    case 'destroyed':
      return {} // it had ended before
  }
}

/** What was done about a version outside the store; of the state it does not change, it says nothing. */
const marks = {
  published: 'published_at',
  withdrawn: 'withdrawn_at',
  disabled: 'disabled_at',
} as const

/** Writes down when a version's registry or vault has done its part; undefined: it has to do it again. */
export async function markVersion(
  connection: Connection,
  { key, n }: Pick<KeyVersion, 'key' | 'n'>,
  mark: keyof typeof marks,
  at: number | undefined,
): Promise<void> {
  await connection
    .updateTable('versions')
    .set({ [marks[mark]]: at ?? null })
    .where('key', '=', key)
    .where('n', '=', n)
    .execute()
}
