import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../../src/lib/json.ts'

const attribute = z.strictObject({
  type: z.unknown(),
  required: z.literal(true).optional(),
  optional: z.literal(true).optional(),
  computed: z.literal(true).optional(),
})

const block = z.strictObject({
  attributes: z.record(z.string(), attribute),
  get block_types() {
    return z.record(
      z.string(),
      z.strictObject({ nesting_mode: z.enum(['single', 'list', 'set']), block }),
    )
  },
})
export type BlockSchema = z.infer<typeof block>

const providerSchema = z.strictObject({
  /** As Terraform names it: `registry.terraform.io/hashicorp/aws`. */
  provider: z.string(),
  version: z.string(),
  from: z.string(),
  licence: z.literal('MPL-2.0'),
  configuration: block,
  resources: z.record(z.string(), block),
  data_sources: z.record(z.string(), block),
})
export type ProviderSchema = z.infer<typeof providerSchema>

/** One of the committed schemas: what `extract-schemas.ts` wrote. */
export function committedSchema(name: 'aws' | 'azurerm'): ProviderSchema {
  const file = join(import.meta.dirname, 'schemas', `${name}.json`)
  return providerSchema.parse(parseJson(readFileSync(file, 'utf8')))
}
