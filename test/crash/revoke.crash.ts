import { describe, expect, test } from 'vitest'
import { figure } from '../support/figure.ts'
import { homesOfThisFile } from '../support/home.ts'
import { publishing } from '../support/publishing.ts'
import { registryHomesOfThisFile } from '../support/registry-home.ts'
import { revokeDies, revokeMistakes } from '../support/revoke-seeds.ts'
import { type KilledRevoke, killRevoke, withStandbys } from './kill-revoke.ts'
import { batches, inLanes, scale } from './scale.ts'

const homes = homesOfThisFile()
const registryHome = registryHomesOfThisFile()
const points = Object.keys(revokeDies)

/** The registry outlives every `revoke` of a full run. */
const runMs = 7_200_000

async function begun(count: number) {
  const keys = Array.from({ length: count }, (_, i) => `key-${i}`)
  const more = ', rotation: { standby: 1 }'
  const settings = keys.map((name) => ({ name, more }))
  const asked = await publishing(homes.copy(), registryHome(), settings, { longestMs: runMs })
  await withStandbys(asked)
  return { asked, keys }
}

test('a revocation that is killed anywhere is whole or not begun, and finished by the next', async () => {
  const totals = { kills: 0, revoked: 0 }
  await inLanes(batches(scale.revokeRounds), async (rounds) => {
    const { asked, keys } = await begun(rounds * points.length)
    const killed = await killRevoke(asked, { keys, points })
    expect(killed.problems).toEqual([])
    await asked.registry.stop()
    totals.kills += killed.kills
    totals.revoked += killed.revoked
    figure(described(`revoke, ${points.length} points`, { ...killed, ...totals }))
  })
  expect(totals.kills).toBe(scale.revokeRounds * points.length)
})

type Mistake = keyof typeof revokeMistakes

const found: Record<Mistake, { readonly point: string; readonly problem: RegExp }> = {
  'what is revoked already is left as it is': {
    point: 'after the revocation',
    problem: /journal disable open/,
  },
  'it is written down before it is done': {
    point: 'before the registry is told',
    problem: /jwks \S+,\S+/,
  },
  'what was done stays in the journal as open': {
    point: 'after the revocation',
    problem: /journal disable open/,
  },
}

describe('this test can fail', () => {
  test.each(Object.entries(found))('it finds out that %s', async (mistake, { point, problem }) => {
    const { asked, keys } = await begun(1)
    const killed = await killRevoke(asked, { keys, points: [point], mistakes: [mistake] })
    figure(described(`revoke, and ${mistake}`, killed))
    expect(killed.problems.join('; ')).toMatch(problem)
    await asked.registry.stop()
  })
})

function described(name: string, { kills, revoked, problems }: KilledRevoke): string {
  return `${name}: ${revoked} versions revoked, ${kills} kills: ${problems.join('; ') || 'no problem'}`
}
