import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { StartOptions } from '../support/chancery.ts'
import type { Publishing } from '../support/publishing.ts'
import { assertSeeded } from '../support/seeded.ts'
import { dying, living } from './program.ts'
import { killsTwice } from './scale.ts'

/** What was seen of rotations that were killed and run again; no problem is a good one. */
export type KilledSwitch = {
  readonly kills: number
  readonly versions: number
  readonly problems: readonly string[]
}

export type SwitchOptions = {
  /** With a standby, and a first version. */
  readonly key: string
  readonly rounds: number
  readonly points: readonly string[]
  readonly mistakes?: readonly string[]
}

/**
 * For each point in turn: replaces the version that signs without overlap, is killed there (in some
 * rounds a second time, at the next point), runs the job as a timer would, and looks at what is left
 * in the store, the vault and the registry. Stops at the first problem.
 */
export async function killSwitch(
  publishing: Publishing,
  { key, rounds, points, mistakes = [] }: SwitchOptions,
): Promise<KilledSwitch> {
  const problems: string[] = []
  let kills = 0
  for (let i = 0; i < rounds * points.length && problems.length === 0; i += 1) {
    const point = points[i % points.length] ?? ''
    const next = points[(i + 1) % points.length] ?? ''
    const ends = killsTwice(Math.floor(i / points.length)) ? [point, next] : [point]
    const expected = longSeen(publishing, key)
    const asks = ['rotate', key, '--emergency']
    // What was never stored, a human has to ask for again.
    const again = point === 'in the transaction of what was asked' ? asks : ['rotate']
    for (const [time, end] of ends.entries()) {
      const command = time === 0 ? asks : again
      const died = await publishing.home.run(command, dying(end, mistakes))
      assertSeeded(died)
      if (died.exitCode === null) kills += 1
      else if (time === 0) problems.push(`it does not die: ${died.exitCode} ${died.stdout}`)
      problems.push(...(await wrongMeanwhile(publishing, key)))
    }
    const options = living(mistakes)
    const found = await finish(publishing, key, { again, expected, options })
    problems.push(...found.map((problem) => `killed ${ends.join(' and ')}: ${problem}`))
  }
  const { exitCode } = await publishing.home.run(['audit', 'verify'])
  if (exitCode !== 0) problems.push('the audit is broken')
  return { kills, versions: versionsOf(publishing, key).length, problems }
}

/** The standby was published a while ago. @returns the number that is to sign next. */
function longSeen({ home }: Publishing, key: string): number | undefined {
  const database = new DatabaseSync(home.at('chancery.db'))
  database.prepare(`update versions set published_at = 0 where key = ?`).run(key)
  const row = database
    .prepare(`select min(n) as n from versions where key = ? and state = 'published'`)
    .get(key)
  database.close()
  return z.object({ n: z.int().nullable() }).parse(row).n ?? undefined
}

/** At any moment: one version signs, and verifiers can see it. */
async function wrongMeanwhile(publishing: Publishing, key: string): Promise<readonly string[]> {
  const active = versionsOf(publishing, key).filter(({ state }) => state === 'active')
  const kids = await publishing.jwksKids(key)
  return [
    ...(active.length === 1 ? [] : [`${active.length} versions sign`]),
    ...active.filter(({ kid }) => !kids.includes(kid)).map(({ n }) => `${key}@${n} signs unlisted`),
  ]
}

async function finish(
  publishing: Publishing,
  key: string,
  {
    again,
    expected,
    options,
  }: {
    readonly again: readonly string[]
    readonly expected: number | undefined
    readonly options: StartOptions
  },
): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await publishing.home.run(again, options)
  assertSeeded({ stderr })
  if (exitCode !== 0) return [`rotate ends with ${exitCode}: ${stderr}${stdout}`.trim()]
  return wrongIn(publishing, key, expected)
}

const version = z.object({
  n: z.int(),
  state: z.string(),
  kid: z.string(),
  resource: z.string(),
})

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

/** One signs, one stands by, the others are gone from the registry and out of the vault's sight. */
async function wrongIn(
  publishing: Publishing,
  key: string,
  expected: number | undefined,
): Promise<readonly string[]> {
  const { home, registryFile } = publishing
  const versions = versionsOf(publishing, key)
  const [active, ...more] = versions.filter(({ state }) => state === 'active')
  const standbys = versions.filter(({ state }) => state === 'published')
  const others = versions.filter(({ state }) => state !== 'active' && state !== 'published')
  const awake = others.filter(({ resource }) => existsSync(home.at(`vault/${resource}`)))
  const kids = await publishing.jwksKids(key)
  const listed = [...(active ? [active] : []), ...standbys].map(({ kid }) => kid)
  const open = `select n from journal where key = ? and state = 'open'`
  const opened = rowsOf(home.at('chancery.db'), z.object({ n: z.int() }), open, key)
  const created = `select subject from changes where app = ? and action = 'create key'`
  const registered = rowsOf(registryFile, z.object({ subject: z.string() }), created, key)
  const twice = registered.length - new Set(registered.map(({ subject }) => subject)).size
  return [
    ...(active && more.length === 0 ? [] : ['not one version signs']),
    ...(active?.n === expected ? [] : [`@${active?.n} signs, and not the standby @${expected}`]),
    ...(standbys.length === 1 ? [] : [`${standbys.length} stand by`]),
    ...(others.every(({ state }) => state === 'retired') ? [] : ['an old version is not retired']),
    ...(awake.length === 0 ? [] : [`${awake.length} old versions are not disabled`]),
    ...(kids.toSorted().join() === listed.toSorted().join() ? [] : ['the JWKS has other keys']),
    ...(opened.length === 0 ? [] : [`${opened.length} intents are open`]),
    ...(twice === 0 ? [] : [`${twice} keys were registered twice`]),
  ]
}
