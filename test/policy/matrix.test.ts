import { beforeAll, describe, expect, test } from 'vitest'
import { figure } from '../support/figure.ts'
import { type Tally, tally } from './matrix/tally.ts'

/** Callers × keys × operations × claims through the whole sign listener, against an oracle of its own. */

let found: Tally
beforeAll(async () => {
  found = await tally()
  const { cases, allowed, denied, wrongAllow, wrongDeny, wrongAnswer } = found
  figure(
    `authorisation matrix: ${cases} cases (${allowed} allowed, ${denied} denied), ` +
      `${wrongAllow.length} wrong allow, ${wrongDeny.length} wrong deny, ` +
      `${wrongAnswer.length} for another reason`,
  )
})

describe('the authorisation matrix', () => {
  test('holds thousands of cases, allowed ones and denied ones', () => {
    expect(found.cases).toBeGreaterThan(5_000)
    expect(found.allowed).toBeGreaterThan(500)
    expect(found.denied).toBeGreaterThan(5_000)
  })

  test('nothing is signed that no grant describes', () => {
    expect(found.wrongAllow).toEqual([])
  })

  test('nothing that a grant describes is denied', () => {
    expect(found.wrongDeny).toEqual([])
  })

  test('a denial names the first rule that was broken, and what is signed is what was granted', () => {
    expect(found.wrongAnswer).toEqual([])
  })
})
