import { hash, randomInt } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { decodeBase64url } from '../../src/lib/bytes.ts'
import { start, type StartOptions } from '../support/chancery.ts'
import type { Home } from '../support/home.ts'
import type { Serving } from '../support/serving.ts'

/** What was seen of a service that was killed again and again; no problem is a good service. */
export type Killed = {
  readonly kills: number
  /** JWTs that a client received. */
  readonly received: number
  readonly records: number
  /** Intents without an outcome, of the service that was killed: none would mean it was never busy. */
  readonly unsettled: number
  readonly problems: readonly string[]
}

const clients = 24
const answersMax = 1_200

/** How the end comes; in turn. */
const moments = ['under load', 'while the store is locked', 'under load', 'as it starts'] as const
type Moment = (typeof moments)[number]

/**
 * Starts `serve`, lets clients ask as fast as they can, kills it, and looks at what is left: the
 * audit is whole, it agrees with the report of the time before, every JWT that left is found in it,
 * and the service starts and signs again. Stops at the first problem.
 *
 * @param options of the service alone: whoever looks at what it left makes no mistake.
 */
export async function killServe(
  home: Home,
  kills: number,
  options: StartOptions = {},
): Promise<Killed> {
  const all: string[] = []
  const problems: string[] = []
  let report: Report | undefined
  let done = 0
  for (; done < kills && problems.length === 0; done += 1) {
    const moment = moments[done % moments.length] ?? 'under load'
    const received = await runUntilKilled(home, moment, options).catch((error: unknown) => {
      problems.push(`${moment}: ${String(error)}`)
      return []
    })
    all.push(...received)
    const seen = await inspect(home, received)
    report = seen.report
    problems.push(...seen.problems.map((problem) => `killed ${moment}: ${problem}`))
  }
  const seen = await inspect(home, all)
  problems.push(...(all.length === 0 ? ['no JWT was received: nothing was tested'] : []))
  problems.push(...seen.problems.map((problem) => `at the end: ${problem}`))
  const { records = 0, unsettled = 0 } = report ?? {}
  return { kills: done, received: all.length, records, unsettled, problems }
}

/** @returns the JWTs that clients received. */
async function runUntilKilled(
  home: Home,
  moment: Moment,
  options: StartOptions,
): Promise<readonly string[]> {
  if (moment === 'as it starts') {
    const child = start(['--config', home.configFile, 'serve'], options)
    await sleep(randomInt(50, 800))
    child.kill('SIGKILL')
  }
  await using serving = await home.serve(options)
  const first = await serving.ask('first-key', request)
  if (first.status !== 200)
    throw new Error(`a new service answers ${first.status} ${first.body.code}`)
  const load = new Load(serving)
  await load.received(randomInt(answersMax))
  if (moment === 'while the store is locked') await lockedFor(home, 400)
  await serving[Symbol.asyncDispose]()
  await load.ended
  return [first.body.jwt ?? '', ...load.jwts]
}

const request = { claims: { sub: 'hello' } }

/** Clients that ask again as soon as they are answered, until nobody answers. */
class Load {
  readonly jwts: string[] = []
  readonly ended: Promise<unknown>
  #wanted: { readonly count: number; readonly resolve: () => void } | undefined

  constructor(serving: Serving) {
    this.ended = Promise.all(Array.from({ length: clients }, () => this.#client(serving)))
  }

  /** Resolves as soon as so many answers are here, or none will come any more. */
  async received(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wanted = { count, resolve }
    await Promise.race([promise, this.ended])
  }

  async #client(serving: Serving): Promise<void> {
    for (;;) {
      const answer = await serving.ask('first-key', request).catch(() => undefined)
      if (!answer) return
      if (answer.body.jwt !== undefined) this.jwts.push(answer.body.jwt)
      if (this.#wanted && this.jwts.length >= this.#wanted.count) this.#wanted.resolve()
    }
  }
}

/** From now on nothing can be committed: whatever leaves has its record already, or has none. */
async function lockedFor(home: Home, ms: number): Promise<void> {
  const database = new DatabaseSync(home.at('chancery.db'), { timeout: 10_000 })
  database.exec('begin immediate')
  await sleep(ms)
  database.close()
}

const reportSchema = z.object({
  verdict: z.string(),
  records: z.int(),
  unsettled: z.int(),
})
type Report = z.infer<typeof reportSchema>

const foundSchema = z.object({
  found: z.array(z.object({ records: z.array(z.object({ record: z.looseObject({}) })) })),
})

async function inspect(home: Home, jwts: readonly string[]) {
  const problems: string[] = []
  const checkpoint = join(home.directory, 'checkpoint.json')
  const earlier = existsSync(checkpoint) ? ['--checkpoint', checkpoint] : []
  const verified = await home.json(['audit', 'verify', ...earlier])
  const report = reportSchema.parse(verified.document)
  writeFileSync(checkpoint, JSON.stringify(verified.document))
  if (verified.exitCode !== 0) problems.push(`the audit is ${report.verdict}`)
  if (jwts.length > 0) problems.push(...(await lost(home, jwts)))
  return { report, problems }
}

/** Every JWT has its intent, and behind it the outcome, if there is one, is that of this signature. */
async function lost(home: Home, jwts: readonly string[]): Promise<readonly string[]> {
  const asked = await home.json(['audit', 'find', '--jwt', '-'], { input: jwts.join('\n') })
  const { found } = foundSchema.parse(asked.document)
  const absent = found.filter(({ records }) => records.length === 0).length
  const wrong = found.filter(({ records }, i) => {
    const digest = signatureDigest(jwts[i] ?? '')
    return records.some(({ record: { signatureDigest: kept = digest } }) => kept !== digest)
  }).length
  return [
    ...(asked.exitCode === 0 ? [] : [`audit find ended with ${asked.exitCode}`]),
    ...(absent === 0 ? [] : [`${absent} of ${jwts.length} JWTs are not in the audit`]),
    ...(wrong === 0 ? [] : [`${wrong} of ${jwts.length} outcomes are of another signature`]),
  ]
}

function signatureDigest(jwt: string): string {
  return hash('sha256', decodeBase64url(jwt.split('.')[2] ?? ''), 'base64url')
}
