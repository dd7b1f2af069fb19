import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { figure } from '../support/figure.ts'
import {
  type Mutant,
  mutate,
  planMutants,
  policyMutants,
  resourceMutants,
  withoutAChecks,
} from '../support/terraform-mutants.ts'
import { noTerraform, type Workspace, workspace } from '../support/terraform.ts'

/** A check that nobody would miss is none: each mistake has to be found by the module's own tests. */

const pure = ['generation-plan', 'key-policy-aws', 'catalogue']
const withProviders = ['aws-kms-signing-key', 'aws-identities', 'azure-key-vault-signing-key']
const examples = ['../examples/aws/keys']
const isFull = process.env['CHANCERY_TERRAFORM'] === 'full'

/** All of them take minutes where the machine has other things to do: in between, every third check. */
const checks = isFull
  ? [...pure, ...withProviders].flatMap(withoutAChecks)
  : pure.flatMap(withoutAChecks).filter((_, place) => place % 3 === 0)

const mutants: readonly Mutant[] = [...checks, ...policyMutants, ...planMutants, ...resourceMutants]

describe.skipIf(noTerraform !== undefined)('a mistake in a module', () => {
  let place: Workspace
  let caught = 0
  const startedMs = systemClock.monotonicMs()

  beforeAll(async () => {
    place = await workspace()
    for (const module of [...pure, ...withProviders, ...examples]) {
      await place.done(`modules/${module}`, ['init', '-backend=false'])
    }
  })

  afterAll(async () => {
    await place[Symbol.asyncDispose]()
    const seconds = ((systemClock.monotonicMs() - startedMs) / 1_000).toFixed(1)
    figure(`terraform: ${caught} of ${mutants.length} mutations caught, ${seconds} s`)
  })

  test('there are mistakes to find in every module', () => {
    expect(mutants.length).toBeGreaterThan(isFull ? 100 : 50)
    const mutated = new Set(mutants.map(({ module }) => module))
    expect([...pure, ...withProviders].filter((module) => !mutated.has(module))).toEqual([])
  })

  test.concurrent.each(mutants)('is found: $module, $what', async (mutant) => {
    const { root, remove } = place.copy()
    mutate(root, mutant)
    const { exitCode, stdout, stderr } = await place.run(`${root}/modules/${mutant.module}`, [
      'test',
      '-no-color',
    ])
    remove()
    expect(exitCode).toBe(1)
    // Found by a test, or, for what no provider has, by its schema.
    expect(stdout + stderr).toMatch(
      /Test assertion failed|Missing expected failure|Unsupported argument/,
    )
    caught += 1
  })
})
