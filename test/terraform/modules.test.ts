import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { systemClock } from '../../src/lib/clock.ts'
import { figure } from '../support/figure.ts'
import {
  noRunbooks,
  noTerraform,
  rootsIn,
  terraformFolder,
  type Workspace,
  workspace,
} from '../support/terraform.ts'

const folders = rootsIn('modules', 'examples')

test('jq is there for the commands of the runbooks', (context) => {
  if (noRunbooks !== undefined) {
    figure(`SKIPPED: ${noRunbooks}, so the commands of terraform/README.md are not tested`)
    context.skip(noRunbooks)
  }
  expect(noRunbooks).toBeUndefined()
})

test('terraform is there to be tested with, in CI', (context) => {
  if (noTerraform !== undefined && process.env['CI'] !== 'true') {
    figure(`SKIPPED: ${noTerraform}, so nothing of terraform/ is tested`)
    context.skip(noTerraform)
  }
  expect(noTerraform).toBeUndefined()
})

test('every module and example has tests of its own', () => {
  expect(folders).toHaveLength(10)
  const tested = globSync('**/tests/*.tftest.hcl', { cwd: terraformFolder })
  const parents = tested.map((file) => file.replace(/\/tests\/.*/, ''))
  expect(folders.filter((folder) => !parents.includes(folder))).toEqual([])
})

describe.skipIf(noTerraform !== undefined)('terraform, offline', () => {
  const startedMs = systemClock.monotonicMs()
  let place: Workspace
  let passed = 0

  beforeAll(async () => {
    place = await workspace()
  })

  afterAll(async () => {
    await place[Symbol.asyncDispose]()
    const seconds = ((systemClock.monotonicMs() - startedMs) / 1_000).toFixed(1)
    figure(
      `terraform: ${folders.length} folders, ${passed} runs, ${assertions()} assertions, ${seconds} s`,
    )
  })

  test('finds every file formatted', async () => {
    const { exitCode, stdout } = await place.run('.', ['fmt', '-check', '-recursive'])
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' })
  })

  test.concurrent.each(folders)('finds %s whole and valid, and its tests pass', async (folder) => {
    expect(await place.run(folder, ['init', '-backend=false'])).toMatchObject({ exitCode: 0 })
    const validated = await place.run(folder, ['validate', '-json'])
    expect(JSON.parse(validated.stdout)).toMatchObject({ valid: true, diagnostics: [] })
    const tested = await place.run(folder, ['test', '-json'])
    const summary = summaryOf(tested.stdout)
    expect({ ...summary, output: summary?.status === 'pass' ? '' : tested.stdout }).toMatchObject({
      status: 'pass',
      failed: 0,
      errored: 0,
      skipped: 0,
      output: '',
    })
    passed += summary?.passed ?? 0
    expect(summary?.passed).toBeGreaterThan(0)
  })
})

const line = z.object({
  test_summary: z
    .object({
      status: z.string(),
      passed: z.int(),
      failed: z.int(),
      errored: z.int(),
      skipped: z.int(),
    })
    .optional(),
})

/** https://developer.hashicorp.com/terraform/internals/machine-readable-ui */
function summaryOf(stdout: string) {
  const lines = stdout.split('\n').filter((text) => text.startsWith('{'))
  return lines.map((text) => line.parse(JSON.parse(text)).test_summary).find(Boolean)
}

function assertions(): number {
  const files = globSync('**/tests/*.tftest.hcl', { cwd: terraformFolder })
  const text = files.map((file) => readFileSync(join(terraformFolder, file), 'utf8')).join('\n')
  return text.match(/^ +(?:assert \{|expect_failures = )/gm)?.length ?? 0
}
