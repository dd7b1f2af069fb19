import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { createApp, createToken } from '../../src/registry/server/desk.ts'
import { openRegistryStore } from '../../src/registry/server/store/store.ts'
import { start } from '../support/chancery.ts'
import type { RegistryHome } from '../support/registry-home.ts'
import { RegistryLoad, type SentKey } from '../support/registry-load.ts'
import { jwksPath, keysPath } from '../support/registry.ts'
import { assertSeeded, seeded } from '../support/seeded.ts'

/** What was seen of a registry that was killed again and again; no problem is a good registry. */
export type KilledRegistry = {
  readonly kills: number
  /** Creates and deletes that were answered before. */
  readonly answers: number
  readonly problems: readonly string[]
}

/** How the end comes where no seed brings it. */
export const moments = ['under load', 'as it starts'] as const

const apps = Array.from({ length: 4 }, (_, i) => `app-${i}`)
const clients = 8
const maxKeys = 3
const answersMax = 200

type Begun = {
  readonly home: RegistryHome
  readonly file: string
  readonly tokens: readonly string[]
}

/**
 * For each point in turn: starts `registry serve`, lets clients create and delete keys as fast as they
 * can, kills it, starts it again and looks at what it has: everything that was answered, nothing that
 * was not asked for, in no app more than its slots, and a record of each change. Stops at the first
 * problem.
 */
export async function killRegistry(
  home: RegistryHome,
  { rounds, points, mistake }: { rounds: number; points: readonly string[]; mistake?: string },
): Promise<KilledRegistry> {
  const begun = await begin(home)
  const sent: SentKey[] = []
  const problems: string[] = []
  let kills = 0
  let answers = 0
  for (let round = 0; round < rounds; round += 1) {
    for (const point of points) {
      const load = await runUntilKilled(begun, point, mistake)
      kills += 1
      answers += load?.answers ?? 0
      sent.push(...(load?.sent ?? []))
      const found = await inspect(begun, sent)
      problems.push(...found.map((problem) => `killed ${point}: ${problem}`))
      if (problems.length > 0) return { kills, answers, problems }
    }
  }
  return { kills, answers, problems }
}

async function begin(home: RegistryHome): Promise<Begun> {
  await (await home.serve()).stop()
  const file = join(home.directory, 'var', 'registry.db')
  await using store = await openRegistryStore(file)
  const desk = { store, actor: 'ops@host', now: 1 }
  for (const app of apps) await createApp(desk, 'acme', app)
  const tokens: string[] = []
  while (tokens.length < clients) tokens.push(await createToken(desk, 'acme', 'admin'))
  return { home, file, tokens }
}

async function runUntilKilled({ home, tokens }: Begun, point: string, mistake: string | undefined) {
  const isMoment = moments.some((moment) => moment === point)
  const options = seeded(...(isMoment ? [] : [point]), ...(mistake === undefined ? [] : [mistake]))
  if (point === 'as it starts') {
    const child = start(['--config', home.configFile, 'registry', 'serve'], options)
    await sleep(randomInt(50, 800))
    child.kill('SIGKILL')
    return undefined
  }
  const registry = await home.serve(options)
  const load = new RegistryLoad({ url: registry.url, apps, tokens })
  await load.answered(randomInt(answersMax / 2, answersMax))
  assertSeeded(await registry.stop('SIGKILL'))
  await load.ended
  return load
}

const listSchema = z.object({
  total: z.int(),
  items: z.array(z.object({ sys: z.object({ id: z.string() }) })),
})
const jwksSchema = z.object({ keys: z.array(z.object({ kid: z.string() })) })

async function inspect({ home, file, tokens }: Begun, sent: readonly SentKey[]) {
  const registry = await home.serve()
  const headers = { Authorization: `Bearer ${tokens[0]}` }
  const get = async (path: string): Promise<unknown> =>
    (await fetch(`${registry.url}${path}`, { headers })).json()
  const problems: string[] = []
  for (const app of apps) {
    const list = listSchema.parse(await get(keysPath(app)))
    const kids = list.items.map(({ sys }) => sys.id)
    const jwks = jwksSchema.parse(await get(jwksPath(app))).keys.map(({ kid }) => kid)
    const own = sent.filter((key) => key.app === app)
    problems.push(
      ...wrongIn(kids, own).map((problem) => `${app}: ${problem}`),
      ...(JSON.stringify(jwks) === JSON.stringify(kids)
        ? []
        : [`${app}: the JWKS is another list`]),
      ...wrongRecords(recordsOf(file, app), kids).map((problem) => `${app}: ${problem}`),
    )
  }
  await registry.stop()
  return problems
}

function wrongIn(kids: readonly string[], sent: readonly SentKey[]): readonly string[] {
  const listed = new Set(kids)
  const isLost = ({ kid, created, deleted }: SentKey) =>
    created === 'done' && deleted === undefined && !listed.has(kid)
  const isBack = ({ kid, created, deleted }: SentKey) =>
    listed.has(kid) && (deleted === 'done' || created === 'refused')
  const counts = {
    'keys lost that were created': sent.filter(isLost).length,
    'keys listed that were deleted or refused': sent.filter(isBack).length,
    'keys listed that nobody sent': kids.filter((kid) => sent.every((key) => key.kid !== kid))
      .length,
    'keys beyond its slots': Math.max(0, kids.length - maxKeys),
    'keys listed twice': kids.length - listed.size,
  }
  return Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []))
}

/** Of each key: created once, deleted at most once, and then it is gone. */
function wrongRecords(records: readonly string[], kids: readonly string[]): readonly string[] {
  const byKid = Map.groupBy(records, (record) => record.split(' ').at(-1) ?? '')
  const shown = [...byKid].map(([kid, of]) => ({ kid, verbs: of.map((one) => one.split(' ')[0]) }))
  const wrong = shown.filter(({ kid, verbs }) => {
    const expected = kids.includes(kid) ? ['create'] : ['create', 'delete']
    return JSON.stringify(verbs) !== JSON.stringify(expected)
  })
  const absent = kids.filter((kid) => !byKid.has(kid)).length
  return wrong.length + absent > 0 ? [`${wrong.length + absent} keys with another record`] : []
}

function recordsOf(file: string, app: string): readonly string[] {
  const database = new DatabaseSync(file, { readOnly: true })
  const sql = `select action, subject from changes where app = ? and action like '% key' order by seq`
  const rows = database.prepare(sql).all(app)
  database.close()
  return rows.map(({ action, subject }) => `${String(action)} ${String(subject)}`)
}
