import { readdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { Publishing } from '../support/publishing.ts'
import { assertSeeded } from '../support/seeded.ts'
import { dying, living } from './program.ts'

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
 * Revokes the version of one key after the other that signs, and is killed at one point after the other.
 * Then it is revoked again, or, every other time that it was revoked, the job finds out by itself. Stops
 * at the first problem.
 */
export async function killRevoke(
  publishing: Publishing,
  { keys, points, mistakes = [] }: RevokeOptions,
): Promise<KilledRevoke> {
  let kills = 0
  for (const [i, key] of keys.entries()) {
    const point = points[i % points.length] ?? ''
    const problems = await killAndRevoke(publishing, key, {
      point,
      mistakes,
      isLeftToJob: i % 2 > 0,
    })
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
  {
    point,
    mistakes,
    isLeftToJob,
  }: {
    readonly point: string
    readonly mistakes: readonly string[]
    readonly isLeftToJob: boolean
  },
): Promise<readonly string[]> {
  const command = ['revoke', `${key}@1`, '--reason', 'a test']
  const died = await publishing.home.run(command, dying(point, mistakes))
  assertSeeded(died)
  if (died.exitCode !== null) return [`it does not die: ${died.exitCode} ${died.stderr}`]
  const half = statesOf(publishing, key)
  // At no instant does no version sign, and at none two.
  if (!['1 active,2 published', '1 revoked,2 active'].includes(half)) return [`left ${half}`]

  const run = async (next: readonly string[]) => {
    const ended = await publishing.home.run(next, living(mistakes))
    assertSeeded(ended)
    return ended
  }
  const rotate = ['rotate', key]
  const next = half.startsWith('1 revoked') && isLeftToJob ? rotate : command
  const again = await run(next)
  // Registry or vault took longer than `revoke` waits for them, and the job goes on.
  const isLeft = next === command && again.exitCode === 4
  const last = isLeft ? await run(rotate) : again
  if (last.exitCode !== 0) return [`${next[0]} ends with ${last.exitCode}: ${last.stderr}`]
  // A job makes a new standby, too.
  return wrongIn(publishing, key, next === command && !isLeft ? [2] : [2, 3])
}

const version = z.object({ n: z.int(), state: z.string(), kid: z.string(), resource: z.string() })
const entry = z.object({ step: z.string(), n: z.int(), state: z.string() })

/** Revoked, withdrawn and disabled, each of it once; the standby signs, and the others are listed. */
async function wrongIn(
  publishing: Publishing,
  key: string,
  others: readonly number[],
): Promise<readonly string[]> {
  const listed = versionsOf(publishing, key).filter(({ n }) => others.includes(n))
  const sql = 'select step, n, state from journal where key = ? and n = 1 order by step'
  const journal = rowsOf(publishing, entry, sql, key)
  const seen = {
    versions: statesOf(publishing, key),
    journal: journal.map(({ step, state }) => `${step} ${state}`).join(),
    vault: vaultOf(publishing, key),
    jwks: (await publishing.jwksKids(key)).toSorted().join(),
  }
  const right = {
    versions: [
      '1 revoked',
      ...others.map((n) => `${n} ${n === 2 ? 'active' : 'published'}`),
    ].join(),
    journal: 'disable done,generate done,publish done,withdraw done',
    vault: [`${key}@1 disabled`, ...others.map((n) => `${key}@${n}`)].join(),
    jwks: listed
      .map(({ kid }) => kid)
      .toSorted()
      .join(),
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
export async function withStandbys({ home }: Publishing): Promise<void> {
  const { exitCode, stdout, stderr } = await home.run(['rotate'])
  if (exitCode !== 0) throw new Error(`rotate ends with ${exitCode}: ${stdout}${stderr}`)
}
