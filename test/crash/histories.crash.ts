import { expect, test } from 'vitest'
import { checkHistories } from '../support/check-histories.ts'
import { figure } from '../support/figure.ts'
import { scale } from './scale.ts'

const seed = 20_261_122

test('whatever happens to a key, in any order, no rule of rotation is broken, and it heals', async () => {
  const { histories } = scale
  const broken = await checkHistories({ histories, seed })
  figure(`${histories} histories of a key, seed ${seed}: ${broken ?? 'no problem'}`)
  expect(broken).toBeUndefined()
})
