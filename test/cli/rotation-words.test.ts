import { expect, test } from 'vitest'
import { stepWords, unfinishedWords } from '../../src/cli/rotation-words.ts'
import { ServiceError } from '../../src/errors.ts'

test('a version that signs is not said to sign no more', () => {
  const task = { kind: 'delete', version: 'face@1', next: 'face@3' } as const
  const words = stepWords({ kind: 'task', task })
  expect(words).toContain('two versions sign, and face@3 cannot before one of them is gone')
  expect(words).toContain('`chancery confirm face@1 --deleted`')
  expect(words).not.toContain('signs no more')
  const after = stepWords({ kind: 'task', task: { ...task, next: undefined } })
  expect(after).toContain('face@1 signs no more')
})

test.each([
  ['created', 'It does not sign yet'],
  ['published', 'It does not sign yet'],
  ['active', 'What else is due for bot failed'],
  ['retired', 'What else is due for bot failed'],
])('what fails after a command for a version that is %s is said with its remedy', (state, what) => {
  const activationError = new ServiceError('vault_throttled', 'The vault is throttling')
  expect(unfinishedWords('bot@2', state, { activationError, waitsFor: undefined })).toEqual([
    `${what}: The vault is throttling: try again in a while, or have its quota raised. Run \`chancery rotate bot\``,
  ])
})
