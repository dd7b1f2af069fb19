import { describe, expect, test } from 'vitest'
import { exitCodes, worstExitCodeOf } from '../../src/cli/failure.ts'
import { ServiceError } from '../../src/errors.ts'

describe('the exit code of several failures', () => {
  const down = new ServiceError('registry_unavailable', 'The registry cannot be reached')
  const refused = new ServiceError('registry_refused', 'The registry refuses the key')
  const bug = new TypeError('undefined is not a function')

  test.each([
    ['no failure', [], exitCodes.done],
    ['one', [down], exitCodes.unavailable],
    ['a refusal after something that is down', [down, refused], exitCodes.refused],
    ['a bug after both', [down, refused, bug], exitCodes.bug],
    ['a bug before them', [bug, refused, down], exitCodes.bug],
  ])('is of the worst: %s', (_, errors, code) => {
    expect(worstExitCodeOf(errors)).toBe(code)
  })
})
