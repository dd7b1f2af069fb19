import { readdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { StartOptions } from '../support/chancery.ts'
import type { Publishing } from '../support/publishing.ts'
import { assertSeeded } from '../support/seeded.ts'
import { dying, living } from './program.ts'
import { killsTwice } from './scale.ts'

/** What was seen of first versions whose `rotate` was killed and run again; no problem is a good one. */
export type KilledPublish = {
  readonly keys: number
  readonly kills: number
  readonly problems: readonly string[]
}

export type PublishOptions = {
  /** Each is rotated once, for the first time: more than rounds × points. */
  readonly keys: readonly string[]
  readonly rounds: number
  readonly points: readonly string[]
  /** Of every run: the killed one, and the one that should put it right. */
  readonly mistakes?: readonly string[]
}

/**
 * For each point in turn: kills the first `rotate` of a new key there (in some rounds a second
 * one, at the next point), runs it again, and looks at what is left in the store, the vault and the
 * registry. Stops at the first problem.
 */
export async function killPublish(
  publishing: Publishing,
  { keys, rounds, points, mistakes = [] }: PublishOptions,
): Promise<KilledPublish> {
  const problems: string[] = []
  const unused = [...keys]
  let kills = 0
  for (let round = 0; round < rounds; round += 1) {
    for (const [i, point] of points.entries()) {
      const key = unused.shift()
      if (key === undefined) throw new Error(`there are only ${keys.length} keys`)
      const next = points[(i + 1) % points.length] ?? point
      const ends = killsTwice(round) ? [point, next] : [point]
      const killed = await killAndLook(publishing, key, { ends, mistakes })
      kills += killed.kills
      const found = [...killed.problems, ...(await finish(publishing, key, living(mistakes)))]
      problems.push(...found.map((problem) => `killed ${ends.join(' and ')}: ${problem}`))
      if (problems.length > 0) return { keys: keys.length - unused.length, kills, problems }
    }
  }
  const verified = await publishing.home.run(['audit', 'verify'])
  if (verified.exitCode !== 0) problems.push('the audit is broken')
  return { keys: keys.length - unused.length, kills, problems }
}

async function killAndLook(
  publishing: Publishing,
  key: string,
  { ends, mistakes }: { readonly ends: readonly string[]; readonly mistakes: readonly string[] },
) {
  const problems: string[] = []
  let kills = 0
  for (const [time, point] of ends.entries()) {
    const died = await publishing.home.run(['rotate', key], dying(point, mistakes))
    assertSeeded(died)
    // A second run may be past the point already.
    if (died.exitCode === null) kills += 1
    else if (time === 0) problems.push(`it does not die: ${died.exitCode} ${died.stdout}`)
    problems.push(...(await unlisted(publishing, key)))
  }
  return { kills, problems }
}

/** At any moment: what may sign is what verifiers can see. */
async function unlisted(publishing: Publishing, key: string): Promise<readonly string[]> {
  const active = versionsOf(publishing, key).filter(({ state }) => state === 'active')
  const kids = await publishing.jwksKids(key)
  return active
    .filter(({ kid }) => !kids.includes(kid))
    .map(({ n }) => `${key}@${n} signs unlisted`)
}

async function finish(
  publishing: Publishing,
  key: string,
  options: StartOptions,
): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await publishing.home.run(['rotate', key], options)
  assertSeeded({ stderr })
  if (exitCode !== 0) return [`rotate ends with ${exitCode}: ${stderr}${stdout}`.trim()]
  return wrongIn(publishing, key)
}

const version = z.object({ n: z.int(), state: z.string(), kid: z.string(), resource: z.string() })
const entry = z.object({ step: z.string(), n: z.int(), state: z.string() })

function rowsOf<T>(file: string, schema: z.ZodType<T>, sql: string, key: string): readonly T[] {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    return z.array(schema).parse(database.prepare(sql).all(key))
  } finally {
    database.close()
  }
}

function versionsOf({ home }: Publishing, key: string) {
  const sql = 'select n, state, kid, resource from versions where key = ? order by n'
  return rowsOf(home.at('chancery.db'), version, sql, key)
}

/** One version, which signs and is listed; one key in the vault; one registration, ever. */
export async function wrongIn(publishing: Publishing, key: string): Promise<readonly string[]> {
  const { home, registryFile } = publishing
  const versions = versionsOf(publishing, key)
  const journalSql = 'select step, n, state from journal where key = ? order by step'
  const journal = rowsOf(home.at('chancery.db'), entry, journalSql, key)
  const changesSql = `select subject from changes where app = ? and action = 'create key'`
  const created = rowsOf(registryFile, z.object({ subject: z.string() }), changesSql, key)
  const isKey = (name: string) => name.startsWith(`${key}@`) && name.endsWith('.json')
  const files = readdirSync(home.at('vault')).filter(isKey)
  const kids = await publishing.jwksKids(key)
  const seen = {
    versions: versions.map(({ n, state }) => `${n} ${state}`),
    journal: journal.map(({ step, n, state }) => `${step} ${n} ${state}`),
    vault: files,
    registrations: created.map(({ subject }) => subject),
    jwks: kids,
  }
  const [one] = versions
  const right = {
    versions: ['1 active'],
    journal: ['generate 1 done', 'publish 1 done'],
    vault: [one?.resource],
    registrations: [one?.kid],
    jwks: [one?.kid],
  }
  return Object.entries(seen)
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(Reflect.get(right, name)))
    .map(([name, value]) => `${key}: ${name} ${JSON.stringify(value)}`)
}
