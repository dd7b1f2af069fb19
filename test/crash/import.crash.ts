import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { edited } from '../support/edit.ts'
import { figure } from '../support/figure.ts'
import { type Home, homesOfThisFile } from '../support/home.ts'
import {
  importAgainDies,
  importDies,
  importMistakes,
  importSeeds,
} from '../support/import-seeds.ts'
import {
  type ImportCase,
  type KilledImport,
  killImport,
  nameOf,
  withImports,
} from './kill-import.ts'
import { inLanes, isFull, scale } from './scale.ts'

const homes = homesOfThisFile()

function importing(count: number): Home {
  const home = homes.copy()
  home.edit((text) => withImports(text, count))
  return home
}

/** A point a key; in every third round as if the first file had been the wrong one. */
function casesOf(round: number): readonly ImportCase[] {
  const once = Object.keys(importDies).map((point, i): ImportCase => {
    const isSwitch = point === 'in the transaction of the switch'
    const how = isSwitch ? 'compared' : hows[(round + i) % hows.length]
    return { ends: [point], how: how ?? 'compared' }
  })
  const left = 'after the vault has answered'
  const again = Object.keys(importAgainDies).map((point): ImportCase => ({
    ends: [left, point],
    how: 'another file',
  }))
  return [...once, ...again, { ends: [left, 'after the vault was searched'], how: 'compared' }]
}

const hows = ['compared', 'another file', 'not compared'] as const

/** Of the subset: each side of the vault's answer, each kind of run, and both kinds of second kill. */
const few: readonly ImportCase[] = [
  { ends: ['after the number is reserved'], how: 'not compared' },
  { ends: ['before the vault answers'], how: 'compared' },
  { ends: ['in the transaction of the imported version'], how: 'compared' },
  { ends: ['before the source is deleted'], how: 'compared' },
  { ends: ['after the vault has answered', 'after a key was given up'], how: 'another file' },
]

test('an import that is killed anywhere is finished by the same command: one version, its key file kept until then', async () => {
  const totals = { imports: 0, kills: 0, orphans: 0 }
  const rounds = Array.from({ length: scale.importRounds }, (_, round) => round)
  await inLanes(rounds, async (round) => {
    const cases = isFull ? casesOf(round) : few
    const home = importing(cases.length)
    const killed = await killImport(home, cases)
    expect(killed.problems).toEqual([])
    expect(await signing(home, cases)).toEqual(cases.map(({ how }) => statusOf[how]))
    totals.imports += killed.imports
    totals.kills += killed.kills
    totals.orphans += killed.orphans
    figure(described('import', { ...killed, ...totals }))
  })
  expect(totals.kills).toBeGreaterThanOrEqual(scale.importRounds * few.length)
})

/** What nobody has compared waits for a human’s word. */
const statusOf = { compared: 200, 'another file': 200, 'not compared': 503 } as const

async function signing(home: Home, cases: readonly ImportCase[]): Promise<readonly number[]> {
  await using serving = await home.serve()
  const asked = cases.map((_, i) => serving.ask(nameOf(i), { claims: {} }))
  return (await Promise.all(asked)).map(({ status }) => status)
}

test.each(Object.entries(importSeeds))(
  'the seed “%s” fits the sources, also where the subset leaves it out',
  (_, edits) => {
    for (const [file, of] of Map.groupBy(edits, (one) => one.file)) {
      const source = readFileSync(file, 'utf8')
      expect(of.reduce(edited, source)).not.toBe(source)
    }
  },
)

const found: Record<keyof typeof importMistakes, ImportCase & { readonly problem: RegExp }> = {
  'the import has no intent': {
    ends: ['after the vault has answered'],
    how: 'compared',
    problem: /import ends with 3: .*already holds key-0@1/,
  },
  'the vault is asked before the intent is durable': {
    ends: ['before the vault answers'],
    how: 'compared',
    problem: /import ends with 3: .*already holds key-0@1/,
  },
  'the import’s intent stays open': {
    ends: ['before the vault answers'],
    how: 'compared',
    problem: /1 intents are open/,
  },
  'an orphan is not told': {
    ends: ['after the vault has answered'],
    how: 'another file',
    problem: /an orphan is not told: key-0@1\./,
  },
  'the source is deleted before the import': {
    ends: ['before the vault is asked'],
    how: 'compared',
    problem: /the key is in no file, and lost/,
  },
}

describe('this test can fail', () => {
  test.each(Object.entries(found))('it finds out that %s', async (mistake, { problem, ...one }) => {
    const killed = await killImport(importing(1), [one], [mistake])
    figure(described(`import, and ${mistake}`, killed))
    expect(killed.problems.join('; ')).toMatch(problem)
  })
})

function described(name: string, { imports, kills, orphans, problems }: KilledImport): string {
  const made = `${imports} keys, ${kills} kills, ${orphans} orphans`
  return `${name}: ${made}: ${problems.join('; ') || 'no problem'}`
}
