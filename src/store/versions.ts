import { z } from 'zod'
import { sources } from '../keys/key.ts'
import { algorithmName, custody, type KeyVersion, versionName } from '../keys/version.ts'
import { mayBecome, versionStates, type VersionState } from '../keys/lifecycle.ts'
import { ServiceError } from '../errors.ts'
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
    created_at: z.int(),
    activated_at: instant,
    ended_at: instant,
  })
  .transform(({ alg, known_answer, created_at, activated_at, ended_at, ...same }): KeyVersion => ({
    ...same,
    algorithm: alg,
    knownAnswer: known_answer,
    createdAt: created_at,
    activatedAt: activated_at,
    endedAt: ended_at,
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
    created_at: version.createdAt,
    activated_at: version.activatedAt ?? null,
    ended_at: version.endedAt ?? null,
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
  const ended = to === 'revoked' || to === 'retired' ? { ended_at: now } : {}
  const { numUpdatedRows } = await connection
    .updateTable('versions')
    .set({ state: to, ...(to === 'active' ? { activated_at: now } : {}), ...ended })
    .where('key', '=', version.key)
    .where('n', '=', version.n)
    .where('state', '=', version.state)
    .executeTakeFirst()
  if (numUpdatedRows === 1n) return
  const name = versionName(version.key, version.n)
  throw new ServiceError('refused', `${name} is no longer ${version.state}: look again`)
}
