import { describe, expect, test } from 'vitest'
import { homesOfThisFile } from '../support/home.ts'
import { figure } from '../support/figure.ts'
import type { serveMistakes } from '../support/seeds.ts'
import { type Killed, killServe } from './kill-serve.ts'
import { scale } from './scale.ts'
import { seeded } from '../support/seeded.ts'

const homes = homesOfThisFile()

test('a service that is killed at any moment has recorded every signature that left, and starts and signs again', async () => {
  const killed = await killServe(homes.copy(), scale.serveKills)
  figure(described('serve', killed))
  expect(killed.problems).toEqual([])
  expect(killed.received).toBeGreaterThan(scale.serveKills)
})

const killsMax = 4

const found: Record<keyof typeof serveMistakes, RegExp> = {
  'signatures are released without waiting for their intents': /JWTs are not in the audit/,
  'batches are not committed': /JWTs are not in the audit/,
  'the digest is that of other bytes': /JWTs are not in the audit/,
  'records are not linked': /the audit is broken/,
  'a run goes on with the name of the one before': /a new service answers 503/,
  'the outcome holds the digest of something else': /outcomes are of another signature/,
}

describe('this test can fail', () => {
  test.each(Object.entries(found))('it finds out that %s', async (mistake, problem) => {
    const killed = await killServe(homes.copy(), killsMax, seeded(mistake))
    figure(described(`serve, and ${mistake}`, killed))
    expect(killed.problems.join('; ')).toMatch(problem)
  })
})

function described(
  name: string,
  { kills, received, records, unsettled, problems }: Killed,
): string {
  return (
    `${name}: ${kills} kills, ${received} JWTs received, ${records} records, ` +
    `${unsettled} intents without an outcome: ${problems.join('; ') || 'no problem'}`
  )
}
