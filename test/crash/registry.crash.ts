import { describe, expect, test } from 'vitest'
import { registryHomesOfThisFile } from '../support/registry-home.ts'
import { registryDies, registryMistakes } from '../support/registry-seeds.ts'
import { type KilledRegistry, killRegistry, moments } from './kill-registry.ts'
import { figure } from '../support/figure.ts'
import { scale } from './scale.ts'
import { seeded } from '../support/seeded.ts'

const registryHome = registryHomesOfThisFile()

const { 'halfway through its migration': _, ...dies } = registryDies
const points = [...Object.keys(dies), ...moments]

test('a registry that is killed at any moment has all that it answered, and a record of each change', async () => {
  const killed = await killRegistry(registryHome(), { rounds: scale.registryKills, points })
  figure(described(`registry serve, ${points.length} points`, killed))
  expect(killed.problems).toEqual([])
  expect(killed.kills).toBe(scale.registryKills * points.length)
  // It was busy: most of its lives saw creates and deletes before they ended.
  expect(killed.answers).toBeGreaterThan(killed.kills * 5)
})

test('a registry that died in the middle of its first migration begins with the next one', async () => {
  const home = registryHome()
  await expect(home.serve(seeded('halfway through its migration'))).rejects.toThrow(
    'does not listen',
  )
  const serving = await home.serve()
  expect((await fetch(`${serving.url}/healthz`)).status).toBe(200)
  expect((await serving.stop()).exitCode).toBe(0)
})

const found: Record<keyof typeof registryMistakes, RegExp> = {
  'a create is answered before it is committed': /keys lost that were created/,
  'slots are counted before the transaction': /keys beyond its slots/,
  'a delete leaves no record': /keys with another record/,
  'a delete is answered, and not done': /keys listed that were deleted/,
}

describe('this test can fail', () => {
  test.each(Object.entries(found))('it finds out that %s', async (mistake, problem) => {
    const options = { rounds: 3, points: ['under load'], mistake }
    const killed = await killRegistry(registryHome(), options)
    figure(described(`registry serve, and ${mistake}`, killed))
    expect(killed.problems.join('; ')).toMatch(problem)
  })
})

function described(name: string, { kills, answers, problems }: KilledRegistry): string {
  return `${name}: ${kills} kills, ${answers} creates and deletes answered: ${problems.join('; ') || 'no problem'}`
}
