import { z } from 'zod'

type Schema = z.infer<typeof schema>

/** All that our schemas use of draft 2020-12; another keyword is an error, not a rule ignored. */
const schema = z.strictObject({
  $schema: z.literal('https://json-schema.org/draft/2020-12/schema').optional(),
  default: z.unknown().optional(),
  type: z.enum(['object', 'array', 'string', 'number', 'integer', 'boolean']).optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  pattern: z.string().optional(),
  minLength: z.int().optional(),
  maxLength: z.int().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minItems: z.int().optional(),
  maxItems: z.int().optional(),
  required: z.array(z.string()).optional(),
  get items() {
    return schema.optional()
  },
  get properties() {
    return z.record(z.string(), schema).optional()
  },
  get propertyNames() {
    return schema.optional()
  },
  get additionalProperties() {
    return z.union([z.literal(false), schema]).optional()
  },
  get anyOf() {
    return z.array(schema).optional()
  },
  get oneOf() {
    return z.array(schema).optional()
  },
})

/** The paths at which a value breaks a JSON Schema; a naive reading of the specification. */
export function violations(document: object, value: unknown): readonly string[] {
  return check(schema.parse(document), value, '')
}

function check(rule: Schema, value: unknown, path: string): readonly string[] {
  const own = [
    rule.type === undefined || hasType(rule.type, value),
    rule.enum === undefined || rule.enum.includes(value),
    !('const' in rule) || rule.const === value,
    rule.anyOf === undefined || matching(rule.anyOf, value) > 0,
    rule.oneOf === undefined || matching(rule.oneOf, value) === 1,
    typeof value !== 'string' || textHolds(rule, value),
    typeof value !== 'number' || numberHolds(rule, value),
  ].every(Boolean)
  return [
    ...(own ? [] : [path]),
    ...checkItems(rule, value, path),
    ...checkMembers(rule, value, path),
  ]
}

function matching(rules: readonly Schema[], value: unknown): number {
  return rules.filter((rule) => check(rule, value, '').length === 0).length
}

function hasType(type: NonNullable<Schema['type']>, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'array') return Array.isArray(value)
  return typeof value === type && value !== null && !Array.isArray(value)
}

function textHolds(
  { pattern, minLength = 0, maxLength = Infinity }: Schema,
  text: string,
): boolean {
  const characters = Array.from(text).length
  const isMatch = pattern === undefined || new RegExp(pattern, 'u').test(text)
  return isMatch && characters >= minLength && characters <= maxLength
}

function numberHolds({ minimum = -Infinity, maximum = Infinity }: Schema, value: number): boolean {
  return value >= minimum && value <= maximum
}

function checkItems(rule: Schema, value: unknown, path: string): readonly string[] {
  if (!Array.isArray(value)) return []
  const { items, minItems = 0, maxItems = Infinity } = rule
  const count = value.length >= minItems && value.length <= maxItems ? [] : [path]
  const inner = value.flatMap((item, i) => (items ? check(items, item, `${path}[${i}]`) : []))
  return [...count, ...inner]
}

function checkMembers(rule: Schema, value: unknown, path: string): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  const missing = (rule.required ?? []).filter((name) => !Object.hasOwn(value, name))
  const inner = Object.entries(value).flatMap(([name, member]) => {
    const at = path === '' ? name : `${path}.${name}`
    const known = rule.properties?.[name]
    const nameRule = rule.propertyNames
    const named = nameRule && check(nameRule, name, at).length > 0 ? [at] : []
    if (known) return [...named, ...check(known, member, at)]
    if (rule.additionalProperties === false) return [at]
    return [
      ...named,
      ...(rule.additionalProperties ? check(rule.additionalProperties, member, at) : []),
    ]
  })
  return [...missing.map((name) => `${path}.${name}`), ...inner]
}
