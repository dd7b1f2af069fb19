import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { shell } from '../support/shell.ts'
import { blocksOf, commandsOf, sectionOf } from '../support/terraform-runbooks.ts'
import { noRunbooks } from '../support/terraform.ts'

/** What Terraform prints, whatever it is asked: a plan, or a catalogue with one generation. */
const generations = { '2026-09': { resource: 'arn:aws:kms:eu-central-1:111122223333:key/1' } }
const catalogue = { keys: { 'contentful-blog': { generations } } }
const printed = JSON.stringify({
  planned_values: { outputs: { planned_catalogue: { value: catalogue }, json: { value: '{}' } } },
  ...catalogue,
})

/** The calls that a shell makes when the commands are pasted into it, and one of them fails (0: none does). */
async function callsOf(commands: string, failing: number): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-runbook-'))
  try {
    const call = `echo "$(basename "$0") $*" >> calls; [ "$(wc -l < calls)" -ne ${failing} ] || exit 3`
    const programs = {
      terraform: `${call}; echo '${printed}'`,
      chancery: call,
      aws: call,
      az: `${call} >&2; echo id`,
      // A catalogue that differs is no failure: it is committed.
      git: `[ "$1" != diff ] || exit 1; ${call}`,
    }
    writeFileSync(join(directory, 'calls'), '')
    writeFileSync(join(directory, 'catalogue.json'), printed)
    await shell(directory, { PATH: process.env['PATH'] }, programs).run(commands)
    const calls = readFileSync(join(directory, 'calls'), 'utf8')
    return calls.replaceAll(directory, '.').trimEnd().split('\n')
  } finally {
    rmSync(directory, { recursive: true })
  }
}

describe.skipIf(noRunbooks !== undefined)('pasted into a shell', () => {
  test.each(blocksOf(sectionOf('Runbooks')))('nothing follows what fails in %j', async (block) => {
    const calls = await callsOf(block, 0)
    for (const index of calls.keys())
      expect(await callsOf(block, index + 1)).toEqual(calls.slice(0, index + 1))
  })

  test('a line that does not depend on the one before it is seen', async () => {
    const apply = commandsOf('Apply')
    expect(await callsOf(apply, 3)).toHaveLength(3)
    const [last] = (await callsOf(apply.replaceAll(' &&\n', '\n'), 3)).slice(-1)
    expect(last).toBe('chancery sync')
  })
})
