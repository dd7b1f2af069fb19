import { readdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { figure } from '../support/figure.ts'
import { type Home, homesOfThisFile, statesIn } from '../support/home.ts'
import { leaseMistakes } from '../support/jobs-seeds.ts'
import { type Publishing, publishing } from '../support/publishing.ts'
import { registryHomesOfThisFile } from '../support/registry-home.ts'
import { type StoreProcess, storeProcesses } from '../support/store-processes.ts'
import { living } from './program.ts'
import { scale } from './scale.ts'

/** DESIGN §7: a lease with a fencing number keeps two jobs apart, however many there are. */

const homes = homesOfThisFile()
const registryHome = registryHomesOfThisFile()

const { jobProcesses, jobConnections } = scale

/** With so many processes on two cores. */
const runMs = 1_200_000

const outcomes = z.array(
  z.strictObject({ verdict: z.string(), steps: z.int(), failures: z.array(z.string()) }),
)

type Round = {
  readonly key: string
  readonly acted: number
  readonly busy: number
  readonly failures: readonly string[]
}

async function compete(processes: readonly StoreProcess[], key: string): Promise<Round> {
  const answers = await Promise.all(processes.map(({ tell }) => tell({ key })))
  const all = answers.flatMap((answer) => outcomes.parse(answer))
  return {
    key,
    acted: all.filter(({ steps }) => steps > 0).length,
    busy: all.filter(({ verdict }) => verdict === 'busy').length,
    failures: all.flatMap(({ failures }) => failures),
  }
}

/** Rounds of jobs that all want to make the first version of a key. */
async function competingJobs(rounds: number, ...mistakes: readonly string[]) {
  const home = homes.copy()
  const file = `${home.directory}/jobs.db`
  const args = [file, home.at('vault'), home.at('master.key'), String(jobConnections)]
  const script = new URL('jobs-process.ts', import.meta.url)
  const processes = await storeProcesses(jobProcesses, { script, args, mistakes })
  const played: Round[] = []
  for (let i = 0; i < rounds; i += 1) played.push(await compete(processes, `key-${i}`))
  const wrong = played.flatMap((round) => wrongIn(round, home, file))
  const busy = played.reduce((sum, round) => sum + round.busy, 0)
  const jobs = rounds * jobProcesses * jobConnections
  return { wrong, busy, jobs }
}

function wrongIn({ key, acted, failures }: Round, home: Home, file: string): readonly string[] {
  const made = readdirSync(home.at('vault')).filter((name) => name.startsWith(`${key}@`))
  const database = new DatabaseSync(file, { readOnly: true })
  const rows = (sql: string) =>
    database
      .prepare(sql)
      .all(key)
      .map((row) => Object.values(row).join())
  const versions = rows('select n, state from versions where key = ?')
  const open = rows(`select id from journal where key = ? and state = 'open'`)
  database.close()
  return [
    ...(acted === 1 ? [] : [`${key}: ${acted} jobs acted`]),
    ...(made.length === 1 ? [] : [`${key}: ${made.length} keys in the vault`]),
    ...(versions.join() === '1,active' ? [] : [`${key}: versions ${versions.join('; ')}`]),
    ...(open.length === 0 ? [] : [`${key}: an intent is open`]),
    ...failures.map((failure) => `${key}: ${failure}`),
  ]
}

test('of jobs that compete for a key exactly one acts, in every round, and the others do nothing', async () => {
  const { wrong, busy, jobs } = await competingJobs(scale.jobRounds)
  const who = `${jobProcesses} processes × ${jobConnections} connections`
  figure(`${who} × ${scale.jobRounds} rounds: ${jobs} jobs, ${busy} found another at work`)
  expect(wrong).toEqual([])
  expect(busy).toBeGreaterThan(0)
})

test.each(Object.keys(leaseMistakes))(
  'this test can fail: it finds out that %s',
  async (mistake) => {
    const { wrong } = await competingJobs(1, mistake)
    figure(`competing jobs, and ${mistake}: ${wrong[0]}, and ${wrong.length - 1} more`)
    expect(wrong).not.toEqual([])
  },
)

const day = 86_400_000

/** A version that signs, a standby, and a rotation that is due since yesterday. */
async function dueRotation(): Promise<Publishing> {
  const rotation = ', rotation: { every: 90d, overlap: 20m, standby: 1 }'
  const asked = await publishing(homes.copy(), registryHome(), [{ name: 'blog', more: rotation }], {
    ...living(),
    longestMs: runMs,
  })
  const { exitCode, stderr } = await asked.home.run(['rotate'], living())
  if (exitCode !== 0) throw new Error(`rotate ends with ${exitCode}: ${stderr}`)
  const database = new DatabaseSync(asked.home.at('chancery.db'))
  const earlier = ['created_at', 'published_at', 'activated_at']
  const set = earlier.map((column) => `${column} = ${column} - ${91 * day}`).join()
  database.exec(`update versions set ${set} where key = 'blog'`)
  database.close()
  return asked
}

/** How many keys the registry shows, looked at until `work` is done. */
async function seenWhile<T>({ jwksKids }: Publishing, work: Promise<T>) {
  const state = { isOver: false, polls: 0, most: 0 }
  const polling = (async () => {
    while (!state.isOver) {
      state.most = Math.max(state.most, (await jwksKids('blog')).length)
      state.polls += 1
      await sleep(10)
    }
  })()
  const result = await work.finally(() => (state.isOver = true))
  await polling
  return { result, most: state.most, polls: state.polls }
}

const rotated = z.looseObject({
  verdict: z.string(),
  steps: z.array(z.looseObject({ version: z.string(), step: z.string() })),
  failures: z.array(z.looseObject({ code: z.string() })),
})

/** Of the embedded registry, and of Contentful. */
const slots = 3

test('of many `rotate` at once exactly one rotates, and the registry never has more keys than slots', async () => {
  const asked = await dueRotation()
  const { home } = asked
  const options = { ...living(), longestMs: runMs }
  const commands = Array.from({ length: scale.rotateProcesses }, () =>
    home.json(['rotate'], options),
  )
  const { result, most, polls } = await seenWhile(asked, Promise.all(commands))
  // So many keep the registry from its turn: whoever was not answered is no second who acts.
  const last = await home.json(['rotate'], options)
  const documents = [...result, last].map(({ document }) => rotated.parse(document))
  const acted = documents.filter(({ steps }) => steps.length > 0).length
  const busy = documents.filter(({ verdict }) => verdict === 'busy').length
  const unanswered = documents.filter(({ failures }) => failures.length > 0).length
  figure(
    `${commands.length} rotate processes: ${acted} acted, ${busy} found another at work, ${unanswered} had no answer from the registry; at most ${most} of ${slots} keys there, seen ${polls} times`,
  )
  const steps = documents.flatMap((one) =>
    one.steps.map(({ version, step }) => `${version} ${step}`),
  )
  expect(steps.toSorted()).toEqual([
    'blog@1 retiring',
    'blog@2 activated',
    'blog@3 generated',
    'blog@3 published',
  ])
  expect(acted).toBeLessThanOrEqual(1 + unanswered)
  const codes = documents.flatMap(({ failures }) => failures.map(({ code }) => code))
  expect(codes.filter((code) => code !== 'registry_unavailable')).toEqual([])
  expect(most).toBe(slots)
  expect(statesIn(home).filter((line) => line.startsWith('blog'))).toEqual([
    'blog@1 retiring',
    'blog@2 active',
    'blog@3 published',
  ])
  const made = readdirSync(home.at('vault')).filter((name) => name.startsWith('blog@'))
  expect(made).toHaveLength(slots)
  await asked.registry.stop()
})
