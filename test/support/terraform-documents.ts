import { parse } from '@cdktn/hcl2json'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { terraformFolder } from './terraform.ts'

const variable = z.object({
  type: z.string(),
  description: z.string(),
  default: z.unknown().optional(),
  validation: z.array(z.object({ condition: z.string(), error_message: z.string() })),
})
const output = z.object({ description: z.string() })
const lifecycle = z.object({
  prevent_destroy: z.boolean().optional(),
  ignore_changes: z.array(z.string()).optional(),
})
const resource = z.looseObject({ lifecycle: z.array(lifecycle).optional() })
const document = z.object({
  variable: z.record(z.string(), z.tuple([variable])).default({}),
  output: z.record(z.string(), z.tuple([output])).default({}),
  resource: z.record(z.string(), z.record(z.string(), z.tuple([resource]))).default({}),
})
export type Module = z.infer<typeof document>

/** What stands in the HCL of a module or example. @throws for a variable without type, description or validation. */
export async function readModule(folder: string): Promise<Module> {
  const files = globSync('*.tf', { cwd: join(terraformFolder, folder) })
  const parts = await Promise.all(
    files.map((file) => readHcl(readFileSync(join(terraformFolder, folder, file), 'utf8'))),
  )
  return {
    variable: Object.assign({}, ...parts.map((part) => part.variable)),
    output: Object.assign({}, ...parts.map((part) => part.output)),
    resource: Object.assign({}, ...parts.map((part) => part.resource)),
  }
}

/** What stands in one file. @throws as `readModule` does. */
export async function readHcl(text: string): Promise<Module> {
  return document.parse(await parse('main.tf', text))
}

/** The inputs and outputs, as they stand in the README of the folder. */
export function tablesOf({ variable: variables, output: outputs }: Module): string {
  const inputs = sorted(variables).map(([name, [{ type, description, default: value }]]) => {
    const initial = value === undefined ? 'required' : `\`${JSON.stringify(value)}\``
    return `| \`${name}\` | \`${oneLine(type)}\` | ${initial} | ${inCell(description)} |`
  })
  const results = sorted(outputs).map(([name, [{ description }]]) => {
    return `| \`${name}\` | ${inCell(description)} |`
  })
  return [
    '| input | type | default | |',
    '|---|---|---|---|',
    ...inputs,
    '',
    '| output | |',
    '|---|---|',
    ...results,
  ].join('\n')
}

/** The README with the tables of the HCL in place of those that it has. */
export function withTables(readme: string, tables: string): string {
  const form = /(?<=\n## Inputs and outputs\n\n)[^]*$/
  if (!form.test(readme)) throw new Error('no heading "Inputs and outputs"')
  return readme.replace(form, () => `${tables}\n`)
}

function oneLine(type: string): string {
  const [, inner = ''] = /^\$\{([^]*)\}$/.exec(type) ?? []
  return inner
    .replaceAll(/\{\s+/g, '{ ')
    .replaceAll(/\s+\}/g, ' }')
    .replaceAll(/\n\s*/g, ', ')
    .replaceAll(/ +/g, ' ')
}

function inCell(text: string): string {
  return text.replaceAll('|', String.raw`\|`)
}

function sorted<T>(record: Readonly<Record<string, T>>): readonly (readonly [string, T])[] {
  return Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1))
}
