import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import { program } from '../../src/cli/program.ts'
import { terraformFolder } from '../support/terraform.ts'

/** Every `chancery …` of the documents of `terraform/`, put to the parser that the program itself has. */

beforeEach(() => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})

/** What stands in a block of commands, or in the text between backticks. */
function commandsIn(text: string): readonly string[] {
  const blocks = [...text.matchAll(/```bash\n([^]*?)```/g)].map(([, block = '']) => block)
  const lines = blocks.flatMap((block) => block.split('\n'))
  const inText = text.replaceAll(/```[^]*?```/g, '').match(/(?<=`)chancery [^`]*(?=`)/g) ?? []
  return [...lines.filter((line) => line.startsWith('chancery ')), ...inText]
}

/** As a shell splits it: words, and what stands in single quotes. */
function wordsOf(command: string): readonly string[] {
  const [, ...words] = command.replace(/ &&$/, '').match(/'[^']*'|\S+/g) ?? []
  return words.map((word) => word.replaceAll("'", ''))
}

/** @returns what the parser says to a command line; of a command's bare name only whether there is one. */
async function refusalOf(command: string): Promise<string | undefined> {
  const words = wordsOf(command)
  const root = program(async () => {})
  let last = root
  let names = 0
  for (const word of words) {
    const next = last.commands.find((one) => one.name() === word)
    if (next === undefined) break
    last = next
    names += 1
  }
  if (names === words.length) return last.commands.length === 0 ? undefined : 'no whole command'
  try {
    await root.parseAsync([...words], { from: 'user' })
    return undefined
  } catch (error) {
    return String(error)
  }
}

test('every command of the program in a document is one that its parser takes', async () => {
  const documents = globSync('**/*.md', { cwd: terraformFolder })
  const commands = new Set(
    documents.flatMap((file) => commandsIn(readFileSync(join(terraformFolder, file), 'utf8'))),
  )
  expect(commands.size).toBeGreaterThan(10)
  const refusals = await Promise.all([...commands].map(async (one) => [one, await refusalOf(one)]))
  expect(refusals.filter(([, refusal]) => refusal !== undefined)).toEqual([])
})

test.each([
  ['chancery suspend everything', /--reason/],
  ['chancery audit', /no whole command/],
  ['chancery revoke contentful-blog@2 --reason', /--reason/],
  ['chancery rotate --soon', /--soon/],
  ['chancery keys shows contentful-blog', /shows/],
])('`%s` is refused', async (command, refusal) => {
  expect(commandsIn(`Then \`${command}\`.`)).toEqual([command])
  expect(await refusalOf(command)).toMatch(refusal)
})
