import { parse } from '@cdktn/hcl2json'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import {
  type BlockSchema,
  committedSchema,
  type ProviderSchema,
} from '../../terraform/testing/schema.ts'
import { terraformFolder } from './terraform.ts'

/** One attribute or block that our HCL sets or reads, and whether the provider's schema has it. */
export type Use = { readonly what: string; readonly isKnown: boolean }

/** https://developer.hashicorp.com/terraform/language/meta-arguments: Terraform's own, in no schema. */
const metaArguments = ['count', 'depends_on', 'for_each', 'lifecycle', 'provider']

const body = z.record(z.string(), z.unknown())
const blocks = z.record(z.string(), z.record(z.string(), z.array(body)))
const document = z.object({
  resource: blocks.default({}),
  data: blocks.default({}),
  provider: z.record(z.string(), z.array(body)).default({}),
})

const schemas = [committedSchema('aws'), committedSchema('azurerm')]

/** Every use of a provider's attribute in a module or example. */
export async function usesIn(folder: string): Promise<readonly Use[]> {
  const files = globSync('*.tf', { cwd: join(terraformFolder, folder) })
  const uses = await Promise.all(
    files.map((file) => usesOf(readFileSync(join(terraformFolder, folder, file), 'utf8'))),
  )
  return uses.flat()
}

/** @param text of one file. */
export async function usesOf(text: string): Promise<readonly Use[]> {
  const { resource, data, provider } = document.parse(await parse('main.tf', text))
  const providers = Object.entries(provider).flatMap(([name, all]) =>
    all.flatMap((one) => setIn(name, schemaOf(name)?.configuration, one)),
  )
  return [
    ...providers,
    ...settings(resource, ({ resources }) => resources),
    ...settings(data, ({ data_sources }) => data_sources),
    ...readIn(text),
  ]
}

type Kinds = (schema: ProviderSchema) => Readonly<Record<string, BlockSchema>>

function settings(found: z.infer<typeof blocks>, kinds: Kinds): readonly Use[] {
  return Object.entries(found).flatMap(([type, named]) =>
    Object.values(named).flatMap((all) =>
      all.flatMap((one) => setIn(type, kindOf(type, kinds), one)),
    ),
  )
}

function setIn(what: string, schema: BlockSchema | undefined, set: object): readonly Use[] {
  return Object.entries(set)
    .filter(([name]) => !metaArguments.includes(name))
    .flatMap(([name, value]) => {
      const nested = schema?.block_types[name]?.block
      const isKnown = nested !== undefined || schema?.attributes[name] !== undefined
      const own = { what: `${what}.${name}`, isKnown }
      if (!nested) return [own]
      const within = z.array(body).parse(value)
      return [own, ...within.flatMap((one) => setIn(own.what, nested, one))]
    })
}

const key = String.raw`(?:\[(?:[^[\]]|\[[^\]]*\])*\])`
const address = String.raw`(data\.)?((?:aws|azurerm)_\w+)\.\w+`

/** `type.name.attribute`, with or without a key, and `one.attribute` of `for … one in type.name`. */
function readIn(text: string): readonly Use[] {
  const direct = [...text.matchAll(new RegExp(String.raw`\b${address}${key}?\.([a-z_]+)`, 'g'))]
  const loops = text.matchAll(
    new RegExp(
      String.raw`for (?:\w+, )?(\w+) in (?:values\()?${address}\)? ?:([^]*?)(?=\bfor |\n\}\n)`,
      'g',
    ),
  )
  const inLoops = [...loops].flatMap(([, one = '', data, type, rest = '']) =>
    [...rest.matchAll(new RegExp(String.raw`\b${one}\.([a-z_]+)`, 'g'))].map(([, name]) => [
      data,
      type,
      name,
    ]),
  )
  return [...direct.map(([, ...parts]) => parts), ...inLoops].map(
    ([data, type = '', name = '']) => {
      const kind = kindOf(type, (schema) => (data ? schema.data_sources : schema.resources))
      const isKnown = kind?.attributes[name] !== undefined || kind?.block_types[name] !== undefined
      return { what: `${data ?? ''}${type}.${name}`, isKnown }
    },
  )
}

function kindOf(type: string, kinds: Kinds): BlockSchema | undefined {
  const schema = schemaOf(type.split('_')[0] ?? '')
  return schema && kinds(schema)[type]
}

function schemaOf(name: string): ProviderSchema | undefined {
  return schemas.find(({ provider }) => provider.endsWith(`/${name}`))
}
