import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { versionName } from '../../src/keys/version.ts'
import { collected, finished } from '../support/chancery.ts'
import { stateMistakes } from '../support/seeds.ts'
import { figure } from '../support/figure.ts'
import { identityOf, storeFile, storeOfThisTest, verified } from '../support/store-file.ts'
import { scale } from './scale.ts'
import { seeded } from '../support/seeded.ts'

/**
 * R1, with real processes: after a revocation has committed, no intent that relies on the version
 * can. What "after" means is said by the database, not by a clock: each revocation reads, in its own
 * transaction, the number of the last intent; nothing of that version may have a higher one.
 */
const keyCount = 100
const intentWriter = identityOf('S').writer

const counts = z.object({
  batches: z.int(),
  permitted: z.int(),
  refused: z.int(),
  locked: z.int(),
})
const notes = z.array(z.object({ version: z.string(), lastSeq: z.int() }))

type Race = {
  readonly revokes: number
  readonly intents: number
  readonly refused: number
  /** Intents that were stored after the revocation of their version. */
  readonly late: number
  /** Revocations just before which, in the very last batch, an intent of that version was stored. */
  readonly close: number
}

test('after a version is revoked no intent by it is stored, in two processes that race for it', async () => {
  const races: Race[] = []
  while (total(races, 'revokes') < scale.revokes) races.push(await race(scale.revokesPerStore))
  figure(described('race', races))
  expect(total(races, 'revokes')).toBe(scale.revokes)
  expect(total(races, 'late')).toBe(0)
  // It was a race: many were stored at the last moment, and many refused at the first.
  expect(total(races, 'close')).toBeGreaterThan(scale.revokes / 100)
  expect(total(races, 'refused')).toBeGreaterThan(scale.revokes / 100)
})

const racesMax = 10

describe('this test can fail', () => {
  test.each(Object.keys(stateMistakes))('it finds late intents when %s', async (mistake) => {
    const races: Race[] = []
    while (races.length < racesMax && total(races, 'late') === 0) {
      races.push(await race(400, mistake))
    }
    figure(described(`race, and ${mistake}`, races))
    expect(total(races, 'late')).toBeGreaterThan(0)
  })
})

async function race(revokes: number, mistake?: string): Promise<Race> {
  const file = await storeFile()
  const store = await storeOfThisTest(file)
  const versionsEach = revokes / keyCount
  fill(file, versionsEach)
  const notesFile = join(dirname(file), 'notes.json')

  const intents = program('race-intents.ts', [file, intentWriter, String(keyCount)], mistake)
  const said = collected(intents.stdout)
  const intentsEnd = finished(intents)
  await Promise.race([once(intents.stdout ?? intents, 'data'), intentsEnd])
  const numbers = [String(keyCount), String(versionsEach)]
  const revoking = await finished(
    program('race-revokes.ts', [file, intentWriter, ...numbers, notesFile]),
  )
  intents.stdin?.end()
  const ended = await intentsEnd
  expect({ revoking, ended }).toMatchObject({ revoking: { exitCode: 0 }, ended: { exitCode: 0 } })

  const { permitted, refused } = counts.parse(JSON.parse(said().split('\n').at(-2) ?? ''))
  const revoked = notes.parse(JSON.parse(readFileSync(notesFile, 'utf8')))
  expect((await verified(store)).verdict).toBe('whole')
  return {
    revokes: revoked.length,
    intents: permitted,
    refused,
    ...judged(file, revoked, permitted),
  }
}

/** Active first versions, and as many more that wait. */
function fill(file: string, versionsEach: number): void {
  const database = new DatabaseSync(file)
  const addKey = database.prepare(
    `insert into keys values (?, 'local', 'ES256', 'jwt', null, null, 0)`,
  )
  const addVersion = database.prepare(
    `insert into versions (key, n, state, source, custody, vault, resource, alg, spki, kid, made_by, created_at)
     values (?, ?, ?, 'generated', 'software', 'local', ?, 'ES256', ?, ?, 'a test', 0)`,
  )
  database.exec('begin immediate')
  for (let i = 0; i < keyCount; i += 1) {
    addKey.run(`key-${i}`)
    for (let n = 1; n <= versionsEach; n += 1) {
      const name = versionName(`key-${i}`, n)
      addVersion.run(`key-${i}`, n, n === 1 ? 'active' : 'created', name, randomBytes(91), name)
    }
  }
  database.exec('commit')
  database.close()
}

function program(script: string, args: readonly string[], mistake?: string): ChildProcess {
  const { nodeArguments = [], env } = mistake === undefined ? seeded() : seeded(mistake)
  return spawn(process.execPath, [...nodeArguments, join(import.meta.dirname, script), ...args], {
    stdio: 'pipe',
    env: { ...process.env, ...env, NODE_NO_WARNINGS: '1' },
  })
}

/** Looks at what is stored, and at nothing that a process says of itself. */
function judged(
  file: string,
  revoked: z.infer<typeof notes>,
  permitted: number,
): Pick<Race, 'late' | 'close'> {
  const database = new DatabaseSync(file, { readOnly: true })
  const select = database.prepare('select seq, body from audit where writer = ? and seq > 1')
  const body = z.object({ key: z.string(), version: z.int() })
  const stored = select.all(intentWriter).map((row) => {
    const { key, version } = body.parse(JSON.parse(String(row['body'])))
    return { seq: Number(row['seq']), version: versionName(key, version) }
  })
  database.close()
  expect(stored.length).toBe(permitted)
  const lastSeq = new Map(revoked.map((note) => [note.version, note.lastSeq]))
  const behind = stored.map(({ seq, version }) => (lastSeq.get(version) ?? Infinity) - seq)
  return {
    late: behind.filter((by) => by < 0).length,
    close: behind.filter((by) => by >= 0 && by < batchSize).length,
  }
}

const batchSize = 8

function total(races: readonly Race[], what: keyof Race): number {
  return races.reduce((sum, one) => sum + one[what], 0)
}

function described(name: string, races: readonly Race[]): string {
  const of = (what: keyof Race) => total(races, what)
  return (
    `${name}: ${of('revokes')} revokes, ${of('intents')} intents, ${of('late')} late ` +
    `(${of('close')} stored in the last batch before, ${of('refused')} refused)`
  )
}
