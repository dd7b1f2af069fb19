import { writeSync } from 'node:fs'

/** What was counted, for whoever reads the run. */
export function figure(text: string): void {
  writeSync(1, `${text}\n`)
}
