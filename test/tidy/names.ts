import { is, nodesOf, type Seen, type SourceFile } from './parse.ts'
import type { Node } from 'oxc-parser'

/** Something that code refers to by a dotted name, wherever the name came from. */
export type Use = { readonly name: string; readonly at: number; readonly how: 'call' | 'other' }

/** Wrappers that change a type or nothing at all, never which value is meant. */
function bare(node: Node): Node {
  if (is(node, 'ChainExpression') || is(node, 'TSNonNullExpression')) return bare(node.expression)
  if (is(node, 'TSAsExpression') || is(node, 'TSSatisfiesExpression')) return bare(node.expression)
  return node
}

/** `a.b`, `a?.b`, `a['b']` and `a.b().c` read as their names in order; other parts are left out. */
export function chainOf(node: Node): readonly string[] {
  const inner = bare(node)
  if (is(inner, 'Identifier')) return [inner.name]
  if (is(inner, 'ThisExpression')) return ['this']
  if (is(inner, 'CallExpression')) return chainOf(inner.callee)
  if (is(inner, 'TaggedTemplateExpression')) return chainOf(inner.tag)
  if (!is(inner, 'MemberExpression')) return []
  return [...chainOf(inner.object), propertyOf(inner) ?? '[]']
}

/** The last name: what is called, compared or read. */
export function nameOf(node: Node): string | undefined {
  const inner = bare(node)
  if (is(inner, 'Identifier')) return inner.name
  return is(inner, 'MemberExpression') ? propertyOf(inner) : undefined
}

/** The global it names, if it is plain members of one: `globalThis.Date.now` is `Date.now`. */
function dotted(node: Node): string | undefined {
  const inner = bare(node)
  if (is(inner, 'Identifier')) return inner.name
  if (!is(inner, 'MemberExpression')) return undefined
  const [object, property] = [dotted(inner.object), propertyOf(inner)]
  if (object === undefined || property === undefined) return undefined
  return object === 'globalThis' || object === 'global' ? property : `${object}.${property}`
}

export function keyOf(node: NodeWithKey): string | undefined {
  if (is(node.key, 'Literal')) return String(node.key.value)
  return is(node.key, 'Identifier') && !node.computed ? node.key.name : undefined
}

type NodeWithKey = { readonly key: Node; readonly computed: boolean }

function propertyOf(node: Node & { readonly type: 'MemberExpression' }): string | undefined {
  const { property } = node
  if (property.type === 'PrivateIdentifier') return property.name
  if (!node.computed) return is(property, 'Identifier') ? property.name : undefined
  return is(property, 'Literal') ? String(property.value) : undefined
}

/** Node modules whose names are globals too: importing one is no way round the rule. */
const globalsOf: Readonly<Record<string, string>> = {
  'node:process': 'process.',
  'node:perf_hooks': '',
  'node:timers': '',
  'node:timers/promises': '',
  'node:console': 'console.',
  'node:buffer': '',
}

/** Every use of a global: as a member, as a callee or argument, taken apart, or imported. */
export function usesIn(file: SourceFile): readonly Use[] {
  return [...memberUses(file), ...plainUses(file), ...takenApart(file), ...importedUses(file)]
}

function memberUses(file: SourceFile): readonly Use[] {
  return nodesOf(file, 'MemberExpression').flatMap((seen) => {
    const name = dotted(seen.node)
    return name === undefined ? [] : [{ name, at: seen.node.start, how: isCalled(seen) }]
  })
}

function isCalled({ node, parent }: Seen): Use['how'] {
  return parent?.node.type === 'CallExpression' && parent.node.callee === node ? 'call' : 'other'
}

/** A bare name counts where it is called or handed on, not where a member happens to share it. */
function plainUses(file: SourceFile): readonly Use[] {
  return nodesOf(file, 'CallExpression', 'NewExpression').flatMap(({ node }) => {
    const callee = is(node.callee, 'Identifier') ? [node.callee] : []
    const handedOn = node.arguments.filter((argument) => is(argument, 'Identifier'))
    return [
      ...callee.map(({ name, start }) => ({ name, at: start, how: 'call' as const })),
      ...handedOn.map(({ name, start }) => ({ name, at: start, how: 'other' as const })),
    ]
  })
}

function takenApart(file: SourceFile): readonly Use[] {
  return nodesOf(file, 'VariableDeclarator').flatMap(({ node: { id, init } }) => {
    const object = init && dotted(init)
    if (!object || !is(id, 'ObjectPattern')) return []
    return id.properties.flatMap((property) => {
      const key = is(property, 'Property') ? keyOf(property) : undefined
      return key === undefined ? [] : [{ name: `${object}.${key}`, at: id.start, how: 'other' }]
    })
  })
}

function importedUses(file: SourceFile): readonly Use[] {
  return nodesOf(file, 'ImportDeclaration').flatMap(({ node }) => {
    const prefix = globalsOf[node.source.value]
    if (prefix === undefined || node.importKind === 'type') return []
    return node.specifiers.flatMap((specifier) => {
      if (!is(specifier, 'ImportSpecifier') || specifier.importKind === 'type') return []
      const { imported } = specifier
      const name = is(imported, 'Identifier') ? imported.name : imported.value
      return [{ name: `${prefix}${name}`, at: specifier.start, how: 'other' as const }]
    })
  })
}
