import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { terraformFolder } from './terraform.ts'

const readme = readFileSync(join(terraformFolder, 'README.md'), 'utf8')

/** The text of a section of `terraform/README.md`. */
export function sectionOf(heading: string): string {
  const [, after = ''] = readme.split(`\n## ${heading}\n`)
  return after.split('\n## ')[0] ?? ''
}

/** The commands of a text, block by block, as they stand there. */
export function blocksOf(text: string): readonly string[] {
  return [...text.matchAll(/```bash\n([^]*?)```/g)].map(([, commands = '']) => commands)
}

/** The commands that follow a runbook's name, the first block or a later one. */
export function commandsOf(runbook: string, block = 0): string {
  const [, after = ''] = sectionOf('Runbooks').split(`\n**${runbook}.** `)
  const commands = blocksOf(after.split('\n**')[0] ?? '')[block]
  if (commands === undefined) throw new Error(`no commands under ${runbook}`)
  return commands
}
