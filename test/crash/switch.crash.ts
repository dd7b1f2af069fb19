import { describe, expect, test } from 'vitest'
import { figure } from '../support/figure.ts'
import { homesOfThisFile } from '../support/home.ts'
import { publishing } from '../support/publishing.ts'
import { registryHomesOfThisFile } from '../support/registry-home.ts'
import { switchDies, switchMistakes } from '../support/rotation-seeds.ts'
import { type KilledSwitch, killSwitch, type SwitchOptions } from './kill-switch.ts'
import { batches, inLanes, scale } from './scale.ts'

const homes = homesOfThisFile()
const registryHome = registryHomesOfThisFile()

const points = Object.keys(switchDies)

/** The registry outlives every `rotate` of a full run. */
const runMs = 7_200_000

/** A key that signs, and has a version that stands by. */
async function killed(options: Omit<SwitchOptions, 'key'>): Promise<KilledSwitch> {
  const more = ', rotation: { standby: 1, propagation: 1s }'
  const asked = await publishing(homes.copy(), registryHome(), [{ name: 'key-0', more }], {
    longestMs: runMs,
  })
  const { exitCode } = await asked.home.run(['rotate'])
  expect(exitCode).toBe(0)
  const seen = await killSwitch(asked, { key: 'key-0', ...options })
  await asked.registry.stop()
  return seen
}

test('a takeover whose job is killed anywhere is finished by the next run: one version signs at every moment', async () => {
  const totals = { kills: 0, versions: 0 }
  await inLanes(batches(scale.switchRounds), async (rounds) => {
    const seen = await killed({ rounds, points })
    expect(seen.problems).toEqual([])
    totals.kills += seen.kills
    totals.versions += seen.versions
    figure(described(`takeover, ${points.length} points`, { ...seen, ...totals }))
  })
  expect(totals.kills).toBeGreaterThanOrEqual(scale.switchRounds * points.length)
})

const found: Record<keyof typeof switchMistakes, readonly [point: string, problem: RegExp]> = {
  'what was asked is forgotten': ['after what was asked', /signs, and not the standby/],
  'the versions change places in two transactions': [
    'after the old version and the new one',
    /0 versions sign/,
  ],
  'a withdrawal is recorded before it is made': [
    'before the registry is told to forget',
    /the JWKS has other keys/,
  ],
  'a withdrawal’s intent stays open': ['after the takeover', /intents are open/],
  'a disabling is recorded before it is made': [
    'before the vault disables',
    /1 old versions are not disabled/,
  ],
}

describe('this test can fail', () => {
  test.each(Object.entries(found))('it finds out that %s', async (mistake, [point, problem]) => {
    const seen = await killed({ rounds: 1, points: [point], mistakes: [mistake] })
    figure(described(`takeover, and ${mistake}`, seen))
    expect(seen.problems.join('; ')).toMatch(problem)
  })
})

function described(name: string, { kills, versions, problems }: KilledSwitch): string {
  return `${name}: ${kills} kills, ${versions} versions: ${problems.join('; ') || 'no problem'}`
}
