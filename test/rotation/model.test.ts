import { expect, test } from 'vitest'
import { checkHistories } from '../support/check-histories.ts'

test('whatever happens to a key, no rule is broken on the way, and it heals', async () => {
  expect(await checkHistories({ histories: 40 })).toBeUndefined()
})
