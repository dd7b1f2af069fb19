import { afterAll, afterEach } from 'vitest'
import { figure } from './figure.ts'

/** Counts the tests of a file, or of what it is called in, and those that came out otherwise. */
export function tallied(what: string): void {
  let rows = 0
  let unexpected = 0
  afterEach(({ task }) => {
    rows += 1
    if (task.result?.state === 'fail') unexpected += 1
  })
  afterAll(() => figure(`${what}: ${rows} rows, ${unexpected} unexpected`))
}
