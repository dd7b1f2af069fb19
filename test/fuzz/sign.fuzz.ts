import { randomInt } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { chancery } from '../support/chancery.ts'
import { figure } from '../support/figure.ts'
import { seeded } from '../support/seeded.ts'
import type { signMistakes } from '../support/seeds.ts'
import { scale } from './scale.ts'

const program = new URL('./sign/child.ts', import.meta.url).pathname
const report = z.object({
  seed: z.number(),
  requests: z.number(),
  counts: z.record(z.string(), z.number()),
  failure: z.string().optional(),
})
type Report = z.infer<typeof report>

/** As many processes at a time; one that is done is followed by another, with a seed of its own. */
const atOnce = 2
const rounds = 4

test('no request crashes the service, is answered by 5xx, or has anything signed that was not checked', async () => {
  const requests = scale.requests / atOnce / rounds
  const lines = Array.from({ length: atOnce }, async () => oneAfterTheOther(requests))
  const reports = (await Promise.all(lines)).flat()
  const counts = totals(reports)
  const seeds = reports.map(({ seed }) => seed)
  figure(`fuzz of the sign route, seeds ${seeds.join(' ')}: ${told(counts)}`)
  expect(reports.map(({ failure }) => failure).filter(Boolean)).toEqual([])
  expect(Object.values(counts).reduce((sum, count) => sum + count)).toBe(scale.requests)
  expect(Object.keys(counts).toSorted()).toEqual(answers.toSorted())
  expect(counts['200 signed']).toBeGreaterThan(scale.requests / 10)
})

/** Every one of them is met, and no other. */
const answers = [
  '200 signed',
  '400 malformed_request',
  '400 malformed_signing_input',
  '400 claim_not_allowed',
  '400 wrong_purpose',
  '400 looks_like_jwt',
  '403 claims_refused',
  '403 operation_not_granted',
  '403 version_revoked',
  '404 key_not_found',
  '409 version_not_active',
  '429 rate_limited',
]

const requestsToFindMax = 20_000

const found: Record<keyof typeof signMistakes, RegExp> = {
  'a signing input is written anew before it is signed': /the signing input: /,
  'other claims are signed than were checked': /the oracle: |what the oracle allows: /,
  'of two members the last one counts': /what a naive reader says of it: ambiguous/,
  'escapes in names are read': /what a naive reader says of it: ambiguous/,
  'key_id does not choose the version': /the oracle: |what the oracle allows: /,
  'the record has another exp': /exp: /,
  'bytes that are no text end in an error of ours': /an answer of 500/,
}

describe('this test can fail', () => {
  test.each(Object.entries(found))('it finds out that %s', async (mistake, failure) => {
    const fuzzed = await fuzz(requestsToFindMax, mistake)
    const { seed, counts, failure: seen = 'nothing' } = fuzzed
    figure(`fuzz, ${mistake}: seed ${seed}, ${told(counts)}: ${seen.slice(0, 120)}`)
    expect(fuzzed.failure).toMatch(failure)
  })
})

async function oneAfterTheOther(requests: number): Promise<readonly Report[]> {
  const reports: Report[] = []
  while (reports.length < rounds) reports.push(await fuzz(requests))
  return reports
}

async function fuzz(requests: number, ...mistakes: readonly string[]): Promise<Report> {
  const seed = randomInt(2 ** 31)
  const args = [`${seed}`, `${requests}`]
  const { exitCode, stdout, stderr } = await chancery(args, { program, ...seeded(...mistakes) })
  if (exitCode !== 0) throw new Error(`seed ${seed}: the process ended with ${exitCode}: ${stderr}`)
  return report.parse(JSON.parse(stdout))
}

function totals(reports: readonly Report[]): Report['counts'] {
  const all = reports.flatMap(({ counts }) => Object.entries(counts))
  const byAnswer = Map.groupBy(all, ([answer]) => answer)
  return Object.fromEntries(
    [...byAnswer].map(([answer, counted]) => [
      answer,
      counted.reduce((sum, [, count]) => sum + count, 0),
    ]),
  )
}

function told(counts: Report['counts']): string {
  return Object.entries(counts)
    .map(([answer, count]) => `${count} × ${answer}`)
    .join(', ')
}
