import { expect, test } from 'vitest'
import { checkHistories } from '../support/check-histories.ts'
import { type Happening, live } from '../support/rotation-history.ts'
import { storeFile, storeOfThisTest } from '../support/store-file.ts'

test('whatever happens to a key, no rule is broken on the way, and it heals', async () => {
  expect(await checkHistories({ histories: 40 })).toBeUndefined()
})

const run = { kind: 'run', isNamed: false, isForced: false, diesAt: undefined } as const

/** Two stand by; the first is suspended, and the answer is lost when the other one is told again. */
const interrupted: readonly Happening[] = [
  { ...run, now: 'no' },
  { ...run, now: 'with overlap' },
  { kind: 'registry', fault: 'reply lost' },
  { kind: 'suspended', isSo: true },
  { kind: 'our newest key is deleted there' },
  { ...run, now: 'no' },
]

test.each<[string, readonly Happening[]]>([
  ['though the other one signs first', []],
  ['though a revocation lets it sign', [{ kind: 'revoked', promotes: true }]],
])('an interrupted publication of a standby is ended, %s', async (_, more) => {
  const store = await storeOfThisTest(await storeFile())
  expect(await live(store, 'key', [...interrupted, ...more])).toEqual([])
})
