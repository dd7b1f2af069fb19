import { isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import type { z } from 'zod'
import { ServiceError } from '../errors.ts'

/** A place in the configuration: names of members and indexes of lists. */
export type ConfigPath = readonly (string | number)[]

/** What is to be said of a place. */
export type Remark = { readonly path: string; readonly message: string }

/** Collects everything that is wrong with a configuration, so that it is said all at once. */
export class Complaints {
  readonly #file: string
  readonly #lineOf: (path: ConfigPath) => number | undefined
  readonly #issues: Remark[] = []
  readonly #warnings: Remark[] = []

  constructor(file: string, lineOf: (path: ConfigPath) => number | undefined) {
    this.#file = file
    this.#lineOf = lineOf
  }

  add(path: ConfigPath, message: string, line = this.#lineOf(path)): void {
    this.#issues.push(this.#remark(path, message, line))
  }

  /** For what can be meant, but hardly is. */
  warn(path: ConfigPath, message: string): void {
    this.#warnings.push(this.#remark(path, message, this.#lineOf(path)))
  }

  get warnings(): readonly Remark[] {
    return this.#warnings
  }

  #remark(path: ConfigPath, message: string, line: number | undefined): Remark {
    const place = `${this.#file}${line === undefined ? '' : `:${line}`}`
    return { path: pathText(path), message: `${message} (${place})` }
  }

  /** @returns the parsed value, or undefined after complaining of everything wrong with it. */
  parse<T>(schema: z.ZodType<T>, value: unknown, path: ConfigPath): T | undefined {
    const parsed = schema.safeParse(value, { error: missingMember })
    if (parsed.success) return parsed.data
    for (const issue of parsed.error.issues) this.#addIssue(issue, path)
    return undefined
  }

  #addIssue(issue: z.core.$ZodIssue, path: ConfigPath): void {
    const inner = issue.path.filter((part) => typeof part !== 'symbol')
    if (issue.code !== 'unrecognized_keys') return this.add([...path, ...inner], messageOf(issue))
    for (const key of issue.keys)
      this.add([...path, ...inner, key], 'unknown member: correct or remove it')
  }

  /** @throws {ServiceError} `config_invalid` with all complaints, if there are any. */
  assertNone(): void {
    const count = this.#issues.length
    if (count === 0) return
    const message = `${this.#file} has ${count} ${count === 1 ? 'problem' : 'problems'}`
    throw new ServiceError('config_invalid', message, { details: { issues: this.#issues } })
  }
}

/** Said of whatever a schema has no words of its own for. */
function missingMember({ input }: { readonly input?: unknown }): string | undefined {
  return input === undefined ? 'missing: add it' : undefined
}

/** Of a name that breaks a rule, the rule is what helps. */
function messageOf(issue: z.core.$ZodIssue): string {
  return (issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined) ?? issue.message
}

function pathText(path: ConfigPath): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('')
  return text.replace(/^\./, '') || '(file)'
}

/** Aliases can grow a small file without end; nobody needs more. */
const aliasesMax = 16

/**
 * Reads YAML 1.2: unique keys, no tags but the core schema's, few aliases, no `__proto__`.
 *
 * @throws {ServiceError} `config_invalid`.
 */
export function readYaml(text: string, file: string): { value: unknown; complaints: Complaints } {
  const lineCounter = new LineCounter()
  const options = { lineCounter, prettyErrors: false, stringKeys: true, resolveKnownTags: false }
  const document = parseDocument(text, options)
  const lineAt = (offset: number | undefined) =>
    offset === undefined ? undefined : lineCounter.linePos(offset).line
  const broken = new Complaints(file, () => undefined)
  for (const { message, at } of yamlFaults(document)) {
    broken.add([], `not valid YAML: ${message}`, lineAt(at))
  }
  broken.assertNone()
  const lineOf = (path: ConfigPath) => lineAt(nearestOffset(document, path))
  return { value: plainValue(document, broken), complaints: new Complaints(file, lineOf) }
}

type ParsedDocument = ReturnType<typeof parseDocument>
type YamlFault = { readonly message: string; readonly at: number | undefined }

/** A warning is of something that would be read in another sense than it was written. */
function yamlFaults(document: ParsedDocument): readonly YamlFault[] {
  const problems = [...document.errors, ...document.warnings]
  const faults: YamlFault[] = problems.map(({ message, pos }) => ({ message, at: pos[0] }))
  if (document.directives?.yaml.version === '1.1') {
    faults.push({ message: 'it is read as YAML 1.2: remove the %YAML line', at: 0 })
  }
  visit(document, {
    Alias(_, alias, path) {
      const meant = alias.resolve(document)
      const at = alias.range?.[0]
      if (!meant) faults.push({ message: `nothing has the anchor ${alias.source}`, at })
      else if (path.some((node) => node === meant))
        faults.push({ message: 'an alias of what it stands in', at })
    },
    Pair(_, { key }) {
      if (isScalar(key) && key.value === '__proto__') {
        faults.push({ message: 'no member may be named __proto__', at: key.range?.[0] })
      }
    },
  })
  return faults
}

function plainValue(document: ParsedDocument, broken: Complaints): unknown {
  try {
    return document.toJS({ maxAliasCount: aliasesMax })
  } catch {
    broken.add([], `not valid YAML: at most ${aliasesMax} aliases: write the values out`)
    return broken.assertNone()
  }
}

/** Where the node at a path starts, else the nearest one around it: a missing member has its parent's line. */
function nearestOffset(document: ParsedDocument, path: ConfigPath): number | undefined {
  for (let length = path.length; length >= 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return undefined
}
