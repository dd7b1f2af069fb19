import { readdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { Publishing } from '../support/publishing.ts'
import { assertSeeded, seeded } from '../support/seeded.ts'

/** What was seen of revocations that were killed and made again; no problem is a good one. */
export type KilledRevoke = {
  readonly kills: number
  readonly revoked: number
  readonly problems: readonly string[]
}

export type RevokeOptions = {
  /** Of `withStandbys`: each is revoked once. */
  readonly keys: readonly string[]
  readonly points: readonly string[]
  /** Of every run: the killed one, and the one that should put it right. */
  readonly mistakes?: readonly string[]
}

/**
 * Revokes the version of one key after the other that signs, is killed at one point after the other, and
 * revokes again. Stops at the first problem.
 */
export async function killRevoke(
  publishing: Publishing,
  { keys, points, mistakes = [] }: RevokeOptions,
): Promise<KilledRevoke> {
  let kills = 0
  for (const [i, key] of keys.entries()) {
    const point = points[i % points.length] ?? ''
    const problems = await killAndRevoke(publishing, key, point, mistakes)
    kills += 1
    if (problems.length > 0) {
      return { kills, revoked: i, problems: problems.map((one) => `killed ${point}: ${one}`) }
    }
  }
  const { exitCode } = await publishing.home.run(['audit', 'verify'])
  return { kills, revoked: keys.length, problems: exitCode === 0 ? [] : ['the audit is broken'] }
}

async function killAndRevoke(
  publishing: Publishing,
  key: string,
  point: string,
  mistakes: readonly string[],
): Promise<readonly string[]> {
  const command = ['revoke', `${key}@1`, '--reason', 'a test']
  const died = await publishing.home.run(command, seeded(point, ...mistakes))
  assertSeeded(died)
  if (died.exitCode !== null) return [`it does not die: ${died.exitCode} ${died.stderr}`]
  const half = statesOf(publishing, key)
  // At no instant does no version sign, and at none two.
  if (!['1 active,2 published', '1 revoked,2 active'].includes(half)) return [`left ${half}`]

  const again = await publishing.home.run(command, seeded(...mistakes))
  assertSeeded(again)
  if (again.exitCode !== 0) return [`revoke ends with ${again.exitCode}: ${again.stderr}`]
  return wrongIn(publishing, key)
}

const version = z.object({ n: z.int(), state: z.string(), kid: z.string(), resource: z.string() })
const entry = z.object({ step: z.string(), n: z.int(), state: z.string() })

/** Revoked, withdrawn and disabled, each of it once; the standby signs, and is listed. */
async function wrongIn(publishing: Publishing, key: string): Promise<readonly string[]> {
  const [, standby] = versionsOf(publishing, key)
  const sql = 'select step, n, state from journal where key = ? and n = 1 order by step'
  const journal = rowsOf(publishing, entry, sql, key)
  const seen = {
    versions: statesOf(publishing, key),
    journal: journal.map(({ step, state }) => `${step} ${state}`).join(),
    vault: vaultOf(publishing, key),
    jwks: (await publishing.jwksKids(key)).join(),
  }
  const right = {
    versions: '1 revoked,2 active',
    journal: 'disable done,generate done,publish done,withdraw done',
    vault: `${key}@1 disabled,${key}@2`,
    jwks: standby?.kid,
  }
  return Object.entries(seen)
    .filter(([name, value]) => value !== Reflect.get(right, name))
    .map(([name, value]) => `${key}: ${name} ${value}`)
}

/** A file's name begins with its version's, and a disabled one has a name that nothing opens. */
function vaultOf({ home }: Publishing, key: string): string {
  return readdirSync(home.at('vault'))
    .filter((file) => file.startsWith(`${key}@`))
    .map((file) => `${file.split('.')[0]}${file.endsWith('.disabled') ? ' disabled' : ''}`)
    .toSorted()
    .join()
}

function statesOf(publishing: Publishing, key: string): string {
  return versionsOf(publishing, key)
    .map(({ n, state }) => `${n} ${state}`)
    .join()
}

function versionsOf(publishing: Publishing, key: string) {
  const sql = 'select n, state, kid, resource from versions where key = ? order by n'
  return rowsOf(publishing, version, sql, key)
}

function rowsOf<T>({ home }: Publishing, schema: z.ZodType<T>, sql: string, key: string) {
  const database = new DatabaseSync(home.at('chancery.db'), { readOnly: true })
  try {
    return z.array(schema).parse(database.prepare(sql).all(key))
  } finally {
    database.close()
  }
}

/** Gives each key a version that signs and one that waits to be the next, both at the registry. */
export async function withStandbys({ home }: Publishing, keys: readonly string[]): Promise<void> {
  const edit = (sql: string) => {
    const database = new DatabaseSync(home.at('chancery.db'))
    database.exec(sql)
    database.close()
  }
  const made = async () => {
    const { exitCode, stderr } = await home.run(['rotate', ...keys])
    if (exitCode !== 0) throw new Error(`rotate ends with ${exitCode}: ${stderr}`)
  }
  const ours = `key in (${keys.map((key) => `'${key}'`).join()})`
  await made()
  edit(`update versions set state = 'retired' where ${ours}`)
  await made()
  edit(`update versions set state = 'published' where ${ours} and n = 2`)
  edit(`update versions set state = 'active' where ${ours} and n = 1`)
}
