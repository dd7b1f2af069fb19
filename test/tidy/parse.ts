import { posix } from 'node:path'
import { parseSync, visitorKeys, type Comment, type Node } from 'oxc-parser'

/** `path` is relative to the root, with `/`; the file need not exist. */
export type Source = { readonly path: string; readonly text: string }

type NodeType = Node['type']
/** Distributes over the union, because some members carry several literals in `type`. */
export type NodeOf<T extends NodeType, N extends Node = Node> = N extends unknown
  ? T extends N['type']
    ? N
    : never
  : never

export type Seen<N extends Node = Node> = {
  readonly node: N
  readonly parent: Seen | undefined
}

export type Import = {
  /** As written; undefined when it is computed and so cannot be followed. */
  readonly specifier: string | undefined
  readonly at: number
}

export type SourceFile = Source & {
  readonly comments: readonly Comment[]
  readonly imports: readonly Import[]
  readonly errors: readonly string[]
  readonly lines: number
  readonly nodes: ReadonlyMap<string, readonly Seen[]>
  /** Line starts, as offsets: what turns a position into a line. */
  readonly starts: readonly number[]
}

/** Pure: nothing is read, so a planted violation is parsed exactly like a real file. */
export function parseSource({ path, text }: Source): SourceFile {
  const { program, comments, errors } = parseSync(path, text, { preserveParens: false })
  const nodes = new Map<string, Seen[]>()
  collect(program, undefined, nodes)

  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]
  return {
    path,
    text,
    comments,
    imports: importsIn(nodes),
    errors: errors.map(({ message }) => message),
    lines: starts.length - (text.endsWith('\n') ? 1 : 0),
    nodes,
    starts,
  }
}

/** One-based, like an editor. */
export function lineAt({ starts }: SourceFile, at: number): number {
  let low = 0
  let high = starts.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((starts[middle] ?? 0) <= at) low = middle
    else high = middle
  }
  return low + 1
}

export function nodesOf<T extends NodeType>(
  { nodes }: Pick<SourceFile, 'nodes'>,
  ...types: readonly T[]
): readonly Seen<NodeOf<T>>[] {
  const isOne = (seen: Seen): seen is Seen<NodeOf<T>> => types.some((type) => is(seen.node, type))
  return types.flatMap((type) => nodes.get(type) ?? []).filter(isOne)
}

export function is<T extends NodeType>(node: Node, type: T): node is NodeOf<T> {
  return node.type === type
}

/** The node itself and all below it. */
export function within(node: Node): readonly Node[] {
  return [node, ...childrenOf(node).flatMap(within)]
}

/** Where a relative import leads, as a path from the root. */
export function targetOf(path: string, specifier: string): string | undefined {
  if (!/^\.{1,2}\//.test(specifier)) return undefined
  return posix.join(posix.dirname(path), specifier)
}

export function stringOf(node: Node | null | undefined): string | undefined {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node?.type !== 'TemplateLiteral' || node.expressions.length > 0) return undefined
  return node.quasis[0]?.value.cooked ?? undefined
}

function collect(node: Node, parent: Seen | undefined, into: Map<string, Seen[]>): void {
  const seen = { node, parent }
  const bucket = into.get(node.type)
  if (bucket) bucket.push(seen)
  else into.set(node.type, [seen])
  for (const child of childrenOf(node)) collect(child, seen, into)
}

function childrenOf(node: Node): readonly Node[] {
  return (visitorKeys[node.type] ?? []).flatMap((key) => {
    const value: unknown = Reflect.get(node, key)
    const list: readonly unknown[] = Array.isArray(value) ? value : [value]
    return list.filter(isNode)
  })
}

/** `visitorKeys` lead to nodes, to `null` or to holes of an array, and to nothing else. */
function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value
}

function importsIn(nodes: ReadonlyMap<string, readonly Seen[]>): readonly Import[] {
  const found = nodesOf(
    { nodes },
    'ImportDeclaration',
    'ExportAllDeclaration',
    'ExportNamedDeclaration',
    'ImportExpression',
    'TSImportType',
    'TSExternalModuleReference',
    'CallExpression',
  )
  return found
    .flatMap(({ node }) => {
      const source = sourceOf(node)
      return source ? [{ specifier: stringOf(source), at: node.start }] : []
    })
    .toSorted((one, other) => one.at - other.at)
}

function sourceOf(node: Node): Node | null | undefined {
  if (is(node, 'TSExternalModuleReference')) return node.expression
  if (!is(node, 'CallExpression')) return 'source' in node ? node.source : undefined
  const isRequire = is(node.callee, 'Identifier') && node.callee.name === 'require'
  return isRequire ? node.arguments[0] : undefined
}
