/**
 * Reads a provider's schema out of the TypeScript that cdktn generated from it. The packages hold no
 * schema as such, so this is what can be known from them: names, types, nesting, which attributes are
 * required, and which can only be read. Not in them: which of azurerm's optional attributes the provider
 * fills in by itself (all but `id` are taken for plain ones), limits of blocks, sensitivity, deprecation.
 * https://developer.hashicorp.com/terraform/cli/commands/providers/schema
 */

export type CtyType = string | readonly CtyType[] | { readonly [name: string]: CtyType }

export type Attribute = {
  readonly type: CtyType
  readonly required?: true
  readonly optional?: true
  readonly computed?: true
}

export type Block = {
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly block_types: Readonly<Record<string, NestedBlock>>
}

export type NestedBlock = {
  readonly nesting_mode: 'single' | 'list' | 'set'
  readonly block: Block
}

/** One generated folder: what Node would run, and its declarations. */
export type Generated = { readonly js: string; readonly declarations: string }

type Setting = {
  readonly name: string
  readonly isBlock: boolean
  readonly kind: string
  readonly storage: string
}

/** @throws {Error} for generated code of another form than this: a schema is never guessed. */
export function schemaOf(generated: Generated): Block {
  const { js, declarations } = generated
  const [, config = ''] = one(/^export interface (\w+Config)\b/m, declarations)
  const configured = blockOf(
    generated,
    config,
    one(/synthesizeHclAttributes\(\) \{(.*?)^ {4}\}/ms, js)[1] ?? '',
  )
  const [, main = ''] = one(/^class \w+ extends cdktn\.Terraform\w+ \{(.*?)^\}/ms, js)
  const read = readOnly(generated, main)
  const filledIn = new Set([...flagged(main), 'id'])
  const attributes = Object.entries(configured.attributes).map(([name, attribute]) => [
    name,
    attribute.optional && filledIn.has(name)
      ? { ...attribute, computed: true as const }
      : attribute,
  ])
  return {
    attributes: sorted({ ...read, ...Object.fromEntries(attributes) }),
    block_types: configured.block_types,
  }
}

/** The provider's name and version, as the generator wrote them down. */
export function versionOf({ js }: Generated): { readonly name: string; readonly version: string } {
  const [, name = '', version = ''] = one(
    /providerName: '(\w+)',\s+providerVersion: '([\d.]+)'/,
    js,
  )
  return { name, version }
}

function blockOf(generated: Generated, struct: string, body: string): Block {
  const required = requiredIn(generated.declarations, struct)
  const settings = settingsIn(body)
  const attributes = settings
    .filter(({ isBlock }) => !isBlock)
    .map((setting) => {
      const type = typeOf(setting)
      const isRequired = required.has(setting.name)
      const attribute: Attribute = isRequired ? { type, required: true } : { type, optional: true }
      return [setting.name, attribute] as const
    })
  const blocks = settings
    .filter(({ isBlock }) => isBlock)
    .map((setting) => [setting.name, nestedOf(generated, setting)] as const)
  return {
    attributes: sorted(Object.fromEntries(attributes)),
    block_types: sorted(Object.fromEntries(blocks)),
  }
}

function nestedOf(generated: Generated, { name, kind, storage }: Setting): NestedBlock {
  const struct = storage.replace(/List$/, '')
  const own = `${struct.charAt(0).toLowerCase()}${struct.slice(1)}ToHclTerraform`
  const [, body = ''] = one(
    new RegExp(`^function ${own}\\(struct\\) \\{(.*?)^\\}`, 'ms'),
    generated.js,
  )
  const modes = { struct: 'single', list: 'list', set: 'set' } as const
  const nesting_mode = Object.entries(modes).find(([mode]) => mode === kind)?.[1]
  if (!nesting_mode) throw new Error(`${name} is a block of kind ${kind}`)
  return { nesting_mode, block: blockOf(generated, struct, body) }
}

function settingsIn(body: string): readonly Setting[] {
  const form =
    /^ +(\w+): \{\s+value: [^\n]+\s+isBlock: (true|false),\s+type: "(\w+)",\s+storageClassType: "(\w+)",/gm
  return [...body.matchAll(form)].map(([, name = '', isBlock, kind = '', storage = '']) => {
    return { name, isBlock: isBlock === 'true', kind, storage }
  })
}

/** `readonly name: T` under the link to the attribute's own paragraph; a `?` makes it optional. */
function requiredIn(declarations: string, struct: string): ReadonlySet<string> {
  const [, body = ''] = one(
    new RegExp(`^export interface ${struct}\\b[^{]*\\{(.*?)^\\}`, 'ms'),
    declarations,
  )
  const members = body.matchAll(/#(\w+) \w+#\w+\}(?:(?!readonly).)*?readonly \w+(\??):/gs)
  return new Set(
    [...members].flatMap(([, name, mark]) => (mark === '' && name !== undefined ? [name] : [])),
  )
}

function typeOf({ name, kind, storage }: Setting): CtyType {
  const simple: Readonly<Record<string, CtyType>> = {
    string: 'string',
    number: 'number',
    boolean: 'bool',
  }
  const [, element = '', container] = /^(string|number|boolean)(List|Map)?$/.exec(storage) ?? []
  const type = simple[element]
  if (type === undefined) throw new Error(`${name} is a ${storage}`)
  if (container === undefined) return type
  return [container === 'Map' ? 'map' : kind === 'set' ? 'set' : 'list', type]
}

/** `// arn - computed: true`, where the generator said so. */
function flagged(main: string): readonly string[] {
  return [...main.matchAll(/\/\/ (\w+) - computed: true/g)].flatMap(([, name]) => name ?? [])
}

/** What a class only reads: `// arn - computed: true, optional: false`. */
function readOnly(generated: Generated, main: string): Record<string, Attribute> {
  const names = [...main.matchAll(/\/\/ (\w+) - computed: true, optional: false/g)]
  return Object.fromEntries(
    names.flatMap(([, name = '']) => [
      [name, { type: readType(generated, main, name), computed: true }],
    ]),
  )
}

function readType(generated: Generated, body: string, name: string): CtyType {
  const getter = new RegExp(`(Fn\\.tolist\\(this\\.)?get(\\w+)Attribute\\('${name}'\\)`).exec(body)
  const [, set, kind] = getter ?? []
  switch (kind) {
    case 'String':
      return 'string'
    case 'Number':
      return 'number'
    case 'Boolean':
      return 'bool'
    case 'List':
      return [set === undefined ? 'list' : 'set', 'string']
    case 'StringMap':
      return ['map', 'string']
    default: {
      const [, of = '', isSet] = one(
        new RegExp(`new (?:cdktn\\.)?(\\w+)\\(this, "${name}"(?:, (true|false))?\\)`),
        body,
      )
      if (of === 'StringMap') return ['map', 'string']
      const struct = of.replace(/List$/, '')
      return [isSet === 'true' ? 'set' : 'list', ['object', objectOf(generated, struct)]]
    }
  }
}

function objectOf(generated: Generated, struct: string): Record<string, CtyType> {
  const form = new RegExp(`^class ${struct}OutputReference extends [^{]+\\{(.*?)^\\}`, 'ms')
  const [, body = ''] = one(form, generated.js)
  const names = body.matchAll(/get\w+Attribute\('(\w+)'\)/g)
  return sorted(
    Object.fromEntries([...names].map(([, name = '']) => [name, readType(generated, body, name)])),
  )
}

function one(form: RegExp, text: string): RegExpExecArray {
  const found = form.exec(text)
  if (found) return found
  throw new Error(`the generated code has no ${form.source}`)
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
