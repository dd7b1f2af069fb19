import { afterAll, describe, expect, test } from 'vitest'
import { check, rules, violationsOf } from './tidy/check.ts'
import { rooms, trees } from './tidy/map.ts'
import { parseSource, type Source } from './tidy/parse.ts'
import { plantedAmbience, plantedSecrecy } from './tidy/planted-dangers.ts'
import { plantedImports, plantedShapes, type Sample } from './tidy/planted.ts'
import { report } from './tidy/report.ts'
import { readTree } from './tidy/tree.ts'

/** The house style, as STYLE §9 lists it: a disagreement two reviewers could have twice is a rule. */

const files = readTree().map(parseSource)
const planted = [...plantedImports, ...plantedShapes, ...plantedAmbience, ...plantedSecrecy]

const sourcesOf = (sample: Sample): readonly Source[] =>
  Object.entries(sample).map(([path, text]) => ({ path, text }))

const rulesBroken = (sample: Sample): readonly string[] => {
  const parsed = sourcesOf(sample).map(parseSource)
  return rules.flatMap((rule) => violationsOf(rule, parsed).map(() => rule.name))
}

describe('the house is tidy', () => {
  test.each(rules)('$name', (rule) => {
    expect(violationsOf(rule, files)).toEqual([])
  })

  test.each(trees)('the check has seen files and imports in %s', (tree) => {
    const seen = files.filter(({ path }) => path.startsWith(`${tree}/`))
    expect(seen.length).toBeGreaterThan(0)
    expect(seen.flatMap(({ imports }) => imports).length).toBeGreaterThan(0)
  })

  test('every room of the map says what lives there, and once', () => {
    expect(rooms.filter(({ lives }) => !lives.trim() || lives.includes('\n'))).toEqual([])
    expect(new Set(rooms.map(({ room }) => room)).size).toBe(rooms.length)
  })

  afterAll(() => {
    console.log(report(files))
  })
})

describe('the check itself', () => {
  test('every rule has planted violations and clean samples', () => {
    const shown = planted.filter(({ bad, clean }) => bad.length > 0 && clean.length > 0)
    expect(shown.map(({ rule }) => rule).toSorted()).toEqual(
      rules.map(({ name }) => name).toSorted(),
    )
  })

  test.each(planted)('a planted violation of "$rule" is reported, and nothing else', (plant) => {
    const found = plant.bad.map((sample) => ({ sample, rules: [...new Set(rulesBroken(sample))] }))
    expect(found).toEqual(plant.bad.map((sample) => ({ sample, rules: [plant.rule] })))
  })

  test.each(planted)('what only comes close to "$rule" is left alone', (plant) => {
    const found = plant.clean.map((sample) => ({ sample, rules: rulesBroken(sample) }))
    expect(found).toEqual(plant.clean.map((sample) => ({ sample, rules: [] })))
  })

  test('a violation is printed as path, line, rule and fix', () => {
    // Not ASCII, because the parser counts in Rust and the line is counted here.
    const text = "// – €\nexport const a = '–𝄞'\n\nexport const at = Date.now()\n"
    expect(check([{ path: 'src/lib/a.ts', text }])).toEqual([
      'src/lib/a.ts:4 one clock: take `now` as an argument',
    ])
  })

  test('a forbidden import names both rooms', () => {
    const text = "import { open } from '../store/open.ts'"
    expect(check([{ path: 'src/http/a.ts', text }])).toEqual([
      'src/http/a.ts:1 imports follow the map: ' +
        'src/http/ may not import src/store/: move it down, or pass it in',
    ])
  })

  test('a cycle is reported once, with the whole way round', () => {
    const loop = {
      'src/lib/a.ts': "import './b.ts'",
      'src/lib/b.ts': "import './a.ts'",
    }
    expect(check(sourcesOf(loop))).toEqual([
      'src/lib/b.ts:1 no cycles: one of them knows too much: ' +
        'src/lib/a.ts → src/lib/b.ts → src/lib/a.ts',
    ])
  })
})
