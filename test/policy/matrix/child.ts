import { writeSync } from 'node:fs'
import { mutants } from './mutants.ts'
import { tallyWith } from './mutate.ts'

/** `child.ts 1 2`: every second mutant from the one numbered 1, a line for each as soon as it is known. */
const [from = 0, step = 1] = process.argv.slice(2).map(Number)

/** Without one, whatever is found is a mistake of the harness. */
const all = { 'no mistake': [], ...mutants }

for (const [i, [mutant, edits]] of Object.entries(all).entries()) {
  if (i % step !== from) continue
  const { cases, wrongAllow, wrongDeny, wrongAnswer } = await tallyWith(edits)
  const [wrong] = [...wrongAllow, ...wrongDeny, ...wrongAnswer]
  writeSync(1, `${JSON.stringify({ mutant, cases, wrong })}\n`)
}
