import { readdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { collected, finished, start } from '../support/chancery.ts'
import { type FastClock, fastClock } from '../support/fast-clock.ts'
import { figure } from '../support/figure.ts'
import { homesOfThisFile } from '../support/home.ts'
import { type Publishing, publishing } from '../support/publishing.ts'
import { registryHomesOfThisFile } from '../support/registry-home.ts'
import { assertSeeded } from '../support/seeded.ts'
import { eventually } from '../support/serving.ts'
import { asleep, fenceMistakes, rotateSleeps } from '../support/sleeping.ts'
import { wrongIn } from './kill-publish.ts'
import { isFull } from './scale.ts'

/** A lease runs out while its holder cannot know it: what it then does comes too late. */

const homes = homesOfThisFile()
const registryHome = registryHomesOfThisFile()
const key = 'key-0'

/** Of the fast clock: longer than a lease. */
const leaseMs = 31_000

type Slept = {
  readonly problems: readonly string[]
  /** What the sleeper said when it was woken. */
  readonly said: string
}

/** One `rotate` sleeps at a point while another does all there is to do; then it is woken. */
async function sleepsAt(point: string, ...mistakes: readonly string[]): Promise<Slept> {
  const clock = fastClock(() => systemClock.now())
  const asked = await publishing(homes.copy(), registryHome(), [{ name: key }], clock.started())
  const { home, registry } = asked
  const options = clock.started(`asleep ${point}`, ...mistakes)
  const sleeper = start(['--config', home.configFile, 'rotate', key], options)
  const [stderr, ended] = [collected(sleeper.stderr), finished(sleeper)]
  await eventually(() => stderr().includes(asleep) || sleeper.exitCode !== null)
  const before = clock.now()
  await eventually(() => clock.now() > before + leaseMs)
  const other = await home.run(['rotate', key], clock.started(...mistakes))
  const left = stateOf(asked)
  sleeper.kill('SIGCONT')
  const woken = await ended
  assertSeeded(woken)
  const problems = [
    ...(woken.stderr.includes(asleep) ? [] : [`it did not sleep: ${woken.stdout}`]),
    ...(other.exitCode === 0 ? [] : [`the other ends with ${other.exitCode}: ${other.stdout}`]),
    ...(stateOf(asked) === left ? [] : ['the sleeper changed the store']),
    ...(await wrongAfter(asked, clock)),
  ]
  await registry.stop()
  return { problems, said: woken.stdout }
}

/** What one more run finds, and leaves. A key that the sleeper made in vain is an orphan, and no more. */
async function wrongAfter(asked: Publishing, clock: FastClock): Promise<readonly string[]> {
  const { home } = asked
  const { exitCode, stdout } = await home.run(['rotate', key], clock.started())
  const again = exitCode === 0 && stdout === 'nothing is due\n' ? [] : [`the next run: ${stdout}`]
  const files = readdirSync(home.at('vault')).filter((name) => name.startsWith(`${key}@`))
  const wrong = await wrongIn(asked, key)
  return [
    ...again,
    ...(files.length <= 2 ? [] : [`${files.length} keys in the vault`]),
    ...wrong.filter((one) => !one.startsWith(`${key}: vault`)),
  ]
}

function stateOf({ home }: Publishing): string {
  const database = new DatabaseSync(home.at('chancery.db'), { readOnly: true })
  const rows = (sql: string) => database.prepare(sql).all()
  const state = [
    rows('select key, n, state, resource, kid from versions order by key, n'),
    rows('select step, n, state from journal order by id'),
  ]
  database.close()
  return JSON.stringify(state)
}

/** Of the subset: each side of the vault, and of the registry. */
const few = ['after the vault made the key', 'after the read-back']
const all = Object.keys(rotateSleeps).map((name) => name.replace(/^asleep /, ''))

test.each(isFull ? all : few)(
  'a job that sleeps %s, past its lease, is refused when it wakes, and has changed nothing',
  async (point) => {
    const { problems, said } = await sleepsAt(point)
    figure(`rotate, asleep ${point}: ${problems.join('; ') || 'no problem'}`)
    expect(problems).toEqual([])
    expect(said).toMatch(/key-0 failed: Another job has taken over: run it again/)
  },
)

test.each(Object.keys(fenceMistakes))(
  'this test can fail: it finds out that %s',
  async (mistake) => {
    const { problems } = await sleepsAt('after the read-back', mistake)
    figure(`rotate, asleep, and ${mistake}: ${problems.join('; ')}`)
    expect(problems.join('; ')).toMatch(/the sleeper changed the store/)
  },
)
