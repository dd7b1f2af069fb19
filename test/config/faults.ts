import { expect, test } from 'vitest'
import { changed, complaintsOf, goodConfig, lineOf } from '../support/config-text.ts'

/** One passage of a good configuration, exchanged for a bad one. */
export type Fault = {
  readonly from: string
  readonly to: string
  readonly path: string
  /** What is wrong and what to do. */
  readonly message: string
  /** What stands on the line that is named, when it is not the first of `to`. */
  readonly at?: string
}

export const duration = 'a duration is a number with s, m, h or d, like 30s'

/** Each is one complaint, with its path, its line and its remedy, and is the only one. */
export function testFaults(faults: readonly Fault[], good = goodConfig): void {
  test.each(faults)('$path: $message', ({ from, to, path, message, at = to.split('\n', 1)[0] }) => {
    const text = changed(from, to, good)
    const [complaint, ...others] = complaintsOf(text)
    expect(others).toEqual([])
    expect(complaint?.path).toBe(path)
    expect(complaint?.message).toContain(message)
    expect(complaint?.message).toContain(` (chancery.yaml:${lineOf(text, at ?? '')})`)
  })
}
