import { readdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { StartOptions } from '../support/chancery.ts'
import type { Home } from '../support/home.ts'
import { assertSeeded } from '../support/seeded.ts'
import { dying, living } from './program.ts'

/** What was seen of `rotate`, killed at some points and run again; no problem is a good `rotate`. */
export type KilledRotate = {
  readonly kills: number
  /** Versions that were made in all; each is the next one after an end. */
  readonly versions: number
  /** Keys in the vault that no version is. */
  readonly orphans: number
  readonly problems: readonly string[]
}

export type RotateOptions = {
  readonly rounds: number
  readonly points: readonly string[]
  /** Of every run: the killed one, and the one that should put it right. */
  readonly mistakes?: readonly string[]
}

/**
 * For each point in turn: ends the version that signs, kills `rotate` there (in every other round
 * twice), runs it again, and looks at what is left. Stops at the first problem.
 */
export async function killRotate(
  home: Home,
  { rounds, points, mistakes = [] }: RotateOptions,
): Promise<KilledRotate> {
  const problems: string[] = []
  let kills = 0
  for (let round = 0; round < rounds; round += 1) {
    for (const point of points) {
      endActive(home)
      for (let time = 0; time <= round % 2; time += 1) {
        const died = await home.run(rotate, dying(point, mistakes))
        assertSeeded(died)
        const { exitCode } = died
        if (exitCode === null) kills += 1
        else if (time === 0)
          problems.push(`it does not die ${point}: ${exitCode} ${died.stderr}${died.stdout}`)
      }
      const found = await runAgain(home, kills, living(mistakes))
      problems.push(...found.map((problem) => `killed ${point}: ${problem}`))
      if (problems.length > 0) break
    }
  }
  const { versions, orphans } = look(home)
  return { kills, versions: versions.length, orphans: orphans.length, problems }
}

/** Named, since what has ended is replaced only when a human says so. */
const rotate = ['rotate', 'first-key']

async function runAgain(home: Home, kills: number, options: StartOptions) {
  const { exitCode, stdout, stderr } = await home.run(rotate, options)
  if (exitCode !== 0) return [`rotate ends with ${exitCode}: ${stderr}${stdout}`.trim()]
  const verified = await home.run(['audit', 'verify'])
  return [
    ...wrongIn(look(home), kills),
    ...(verified.exitCode === 0 ? [] : ['the audit is broken']),
  ]
}

/** As if it had been revoked long ago: there is nothing to wait for. */
function endActive(home: Home): void {
  const database = new DatabaseSync(home.at('chancery.db'))
  database.exec(`update versions set state = 'revoked' where state = 'active'`)
  database.close()
}

const version = z.object({ n: z.int(), state: z.string(), resource: z.string() })
const entry = z.object({ step: z.string(), n: z.int(), state: z.string() })

/** What the vault puts behind the name of a key that may sign no more. */
const aside = /\.disabled$/

/** What the store and the vault say, without asking the program. */
function look(home: Home) {
  const database = new DatabaseSync(home.at('chancery.db'), { readOnly: true })
  const all = (sql: string) => database.prepare(sql).all()
  const versions = z.array(version).parse(all('select n, state, resource from versions order by n'))
  const journal = z.array(entry).parse(all('select step, n, state from journal order by id'))
  database.close()
  const kept = readdirSync(home.at('vault')).filter((name) => /\.json(?:\.disabled)?$/.test(name))
  const files = kept.map((name) => name.replace(aside, ''))
  const known = new Set(versions.map(({ resource }) => resource))
  const orphans = files.filter((file) => !known.has(file))
  return { versions, journal, kept, files, orphans }
}

function wrongIn(
  { versions, journal, kept, files, orphans }: ReturnType<typeof look>,
  kills: number,
): readonly string[] {
  const active = versions.filter(({ state }) => state === 'active')
  const open = journal.filter(({ state }) => state === 'open')
  const lost = versions.filter(({ state, resource }) => {
    const isThere = kept.includes(resource)
    return !isThere && !(state === 'revoked' && kept.includes(`${resource}.disabled`))
  })
  const made = journal.filter(({ step }) => step === 'generate')
  const unplanned = versions.filter(({ n }) => !made.some((one) => one.n === n))
  const twice = [...repeated(made.map(({ n }) => n)), ...repeated(files.map(nameOf))]
  return [
    ...(active.length === 1 ? [] : [`${active.length} versions are active`]),
    ...(active[0] === versions.at(-1) ? [] : ['the newest version is not the one that signs']),
    ...(open.length === 0 ? [] : [`${open.length} intents are open`]),
    ...(lost.length === 0 ? [] : [`${lost.length} keys are lost`]),
    ...(unplanned.length === 0 ? [] : [`${unplanned.length} versions had no intent`]),
    ...(twice.length === 0 ? [] : [`a number was used twice: ${twice.join(', ')}`]),
    ...(orphans.length <= kills ? [] : [`${orphans.length} orphans after ${kills} kills`]),
  ]
}

/** `first-key@3` of its file, whose name goes on with its intent. */
function nameOf(file: string): string {
  return file.slice(0, file.indexOf('.'))
}

function repeated<T>(all: readonly T[]): readonly T[] {
  return all.filter((one, i) => all.indexOf(one) !== i)
}
