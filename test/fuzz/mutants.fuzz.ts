import { expect, test } from 'vitest'
import { z } from 'zod'
import { mutants } from '../policy/matrix/mutants.ts'
import { figure } from '../support/figure.ts'
import { chancery } from '../support/chancery.ts'

/** A check that can be dropped without any test going red is no check. */

const program = new URL('../policy/matrix/child.ts', import.meta.url).pathname
const line = z.object({ mutant: z.string(), cases: z.number(), wrong: z.unknown().optional() })

/** As many processes as this; each takes its share of the mutants. */
const shares = 2

test('the authorisation matrix finds every mistake that is made in what decides, and no other', async () => {
  const all = await Promise.all(Array.from({ length: shares }, (_, i) => tried(i)))
  const found = all.flat()
  const survivors = found.filter(({ wrong }) => wrong === undefined).map(({ mutant }) => mutant)
  const names = ['no mistake', ...Object.keys(mutants)]
  figure(`policy mutants: killed ${found.length - survivors.length} of ${names.length - 1}`)
  expect(found.map(({ mutant }) => mutant).toSorted()).toEqual(names.toSorted())
  expect(survivors).toEqual(['no mistake'])
  expect(names.length).toBeGreaterThan(90)
})

async function tried(share: number): Promise<readonly z.infer<typeof line>[]> {
  const { exitCode, stdout, stderr } = await chancery([`${share}`, `${shares}`], { program })
  if (exitCode !== 0) throw new Error(`the matrix did not run to its end: ${stderr}`)
  return stdout
    .trim()
    .split('\n')
    .map((text) => line.parse(JSON.parse(text)))
}
