import { existsSync, readdirSync, rmSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Home, homesOfThisFile } from '../support/home.ts'
import { figure } from '../support/figure.ts'
import { migrationDies, rotateDies, rotateMistakes, storeMistakes } from '../support/seeds.ts'
import { type KilledRotate, killRotate } from './kill-rotate.ts'
import { scale } from './scale.ts'
import { assertSeeded, seeded } from '../support/seeded.ts'

const homes = homesOfThisFile()
const points = Object.keys(rotateDies)

test('a rotation that is killed anywhere is finished by the next: no key is lost, no number used twice', async () => {
  const home = homes.copy()
  const killed = await killRotate(home, { rounds: scale.rotateRounds, points })
  figure(described('rotate', killed))
  expect(killed.problems).toEqual([])
  expect(killed.kills).toBeGreaterThanOrEqual(scale.rotateRounds * points.length)
  expect(killed.versions).toBe(1 + scale.rotateRounds * points.length)

  await using serving = await home.serve()
  const { status, body } = await serving.ask('first-key', { claims: { sub: 'hello' } })
  expect({ status, version: body.version }).toEqual({ status: 200, version: killed.versions })
})

const found: Record<keyof typeof rotateMistakes, RegExp> = {
  // The vault too keeps a number from being used twice: it refuses the next one, and that is seen.
  'no intent is written': /already holds first-key@2|had no intent/,
  'an open intent is forgotten': /intents are open/,
  'the intent stays open': /rotate ends with/,
  'numbers are counted from the versions alone': /already holds first-key@2|used twice/,
}

describe('this test can fail', () => {
  test.each(Object.entries(found))('it finds out that %s', async (mistake, problem) => {
    const killed = await killRotate(homes.copy(), {
      rounds: 1,
      points: ['after the vault made the key', 'after the intent', 'after the version'],
      mistakes: [mistake],
    })
    figure(described(`rotate, and ${mistake}`, killed))
    expect(killed.problems.join('; ')).toMatch(problem)
  })
})

test('a store whose maker died in the middle is made by the next one that opens it', async () => {
  const home = homes.copy()
  for (const file of [...storeFiles(home), ...keyFiles(home)]) rmSync(home.at(file))
  const [point = ''] = Object.keys(migrationDies)
  const killed = await home.run(['rotate'], seeded(point))
  expect(killed.exitCode).toBeNull()
  expect(existsSync(home.at('chancery.db'))).toBe(true)
  const { exitCode, stdout, stderr } = await home.run(['rotate'])
  expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0 })
  const { document } = await home.json(['keys', 'list'])
  expect(document).toMatchObject({ keys: [{ key: 'first-key', versions: [{ state: 'active' }] }] })
})

test.each(Object.keys(storeMistakes))(
  'the store is not opened when %s: a power loss would take back what was said',
  async (mistake) => {
    const refused = await homes.copy().json(['rotate'], seeded(mistake))
    assertSeeded(refused)
    expect(refused).toMatchObject({
      exitCode: 5,
      document: { error: { code: 'store_unavailable' } },
    })
  },
)

function storeFiles(home: Home): readonly string[] {
  return readdirSync(home.at('.')).filter((name) => name.startsWith('chancery.db'))
}

function keyFiles(home: Home): readonly string[] {
  return readdirSync(home.at('vault')).map((name) => `vault/${name}`)
}

function described(name: string, { kills, versions, orphans, problems }: KilledRotate): string {
  const made = `${kills} kills, ${versions} versions, ${orphans} orphans`
  return `${name}: ${made}: ${problems.join('; ') || 'no problem'}`
}
