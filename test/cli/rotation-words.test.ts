import { expect, test } from 'vitest'
import { stepWords } from '../../src/cli/rotation-words.ts'

test('a version that signs is not said to sign no more', () => {
  const task = { kind: 'delete', version: 'face@1', next: 'face@3' } as const
  const words = stepWords({ kind: 'task', task })
  expect(words).toContain('two versions sign, and face@3 cannot before one of them is gone')
  expect(words).toContain('`chancery confirm face@1 --deleted`')
  expect(words).not.toContain('signs no more')
  const after = stepWords({ kind: 'task', task: { ...task, next: undefined } })
  expect(after).toContain('face@1 signs no more')
})
