import { randomInt } from 'node:crypto'
import { expect, test } from 'vitest'
import { fuzzSign } from '../fuzz/sign/run.ts'
import { figure } from '../support/figure.ts'

/** A look at what `npm run test:fuzz` does at length. */
const requests = 2_000

test('whatever is signed was checked, and nothing is answered by 5xx', async () => {
  const fuzzed = await fuzzSign(randomInt(2 ** 31), requests)
  figure(`fuzz of the sign route: seed ${fuzzed.seed}, ${JSON.stringify(fuzzed.counts)}`)
  expect(fuzzed.failure).toBeUndefined()
  expect(fuzzed.counts['200 signed']).toBeGreaterThan(requests / 10)
})
