import type { Key } from '../keys/key.ts'
import type { Connection, WriteTransaction } from './store.ts'

/** The facts that are fixed for ever once a key has a version. */
export type KeyFacts = Readonly<
  Record<'name' | 'vault' | 'alg' | 'purpose', string> &
    Record<'profile' | 'registry', string | undefined>
>

export function factsOf(key: Key): KeyFacts {
  return {
    name: key.name,
    vault: key.vault,
    alg: key.algorithm.name,
    purpose: key.purpose,
    profile: key.profile?.name,
    registry: registryText(key),
  }
}

const manualPrefix = 'manual:'

/** `apps/reports`, `manual:github`: a key's place, which verifiers rely on. */
function registryText({ registry }: Key): string | undefined {
  if (!registry) return undefined
  const { kind } = registry
  return kind === 'app'
    ? `${registry.registry}/${registry.app}`
    : `${manualPrefix}${registry.system}`
}

export async function listKeyFacts(connection: Connection): Promise<readonly KeyFacts[]> {
  const rows = await connection.selectFrom('keys').selectAll().orderBy('name').execute()
  return rows.map(({ profile, registry, created_at: _, ...facts }) => ({
    ...facts,
    profile: profile ?? undefined,
    registry: registry ?? undefined,
  }))
}

/** Where the versions of a key have to be known, whatever the configuration says of it now. */
export async function registryKindOf(
  connection: Connection,
  name: string,
): Promise<'none' | 'manual' | 'app'> {
  const row = await connection
    .selectFrom('keys')
    .select('registry')
    .where('name', '=', name)
    .executeTakeFirst()
  if (!row?.registry) return 'none'
  return row.registry.startsWith(manualPrefix) ? 'manual' : 'app'
}

/** Stores a key's facts with its first version; they are never written again. */
export async function insertKeyFacts(
  { connection }: WriteTransaction,
  key: Key,
  now: number,
): Promise<void> {
  const { profile, registry, ...facts } = factsOf(key)
  await connection
    .insertInto('keys')
    .values({ ...facts, profile: profile ?? null, registry: registry ?? null, created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** What the configuration says differently from the store, in words; empty when they agree. */
export function changedFacts(stored: KeyFacts, configured: KeyFacts): readonly string[] {
  const names = ['vault', 'alg', 'purpose', 'profile', 'registry'] as const
  return names
    .filter((name) => stored[name] !== configured[name])
    .map((name) => `${name} was ${stored[name] ?? 'none'} and is fixed for ever`)
}
