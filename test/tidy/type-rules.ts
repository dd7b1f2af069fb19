import { inside } from './map.ts'
import { is, lineAt, nodesOf, type NodeOf, type Seen, type SourceFile } from './parse.ts'
import { ruleOfFile, type Finding, type Rule } from './rule.ts'

type Cast = NodeOf<'TSAsExpression' | 'TSTypeAssertion'>

const noAny = ruleOfFile('no any, few casts', (file) => {
  const unproven = inside(file.path, ['test/'])
    ? []
    : castsIn(file).filter(({ node }) => isDouble(node) || !hasProof(file, node))
  return [
    ...anysIn(file).map(({ node }) => finding(node.start)),
    ...nodesOf(file, 'TSNonNullExpression').map(({ node }) => finding(node.start)),
    ...definite(file),
    ...unproven.map(({ node }) =>
      finding(node.start, isDouble(node) ? '' : '; else say beside it why it is true'),
    ),
  ]
})

function finding(at: number, hint = ''): Finding {
  return { at, fix: `parse it, or narrow it${hint}` }
}

export function anysIn(file: SourceFile): readonly Seen[] {
  return nodesOf(file, 'TSAnyKeyword')
}

/** `as const` and `satisfies` check; everything counted here only claims. */
export function castsIn(file: SourceFile): readonly Seen<Cast>[] {
  return nodesOf(file, 'TSAsExpression', 'TSTypeAssertion').filter(({ node }) => !isConst(node))
}

function isConst({ typeAnnotation: type }: Cast): boolean {
  if (type.type !== 'TSTypeReference' || type.typeName.type !== 'Identifier') return false
  return type.typeName.name === 'const'
}

/** `as unknown as T` switches the checker off: no comment makes it a proof. */
function isDouble({ expression }: Cast): boolean {
  return is(expression, 'TSAsExpression') && is(expression.typeAnnotation, 'TSUnknownKeyword')
}

/** Words on the line of the cast or on the line above it; a switch for a tool is not a reason. */
function hasProof(file: SourceFile, { start, typeAnnotation }: Cast): boolean {
  const first = lineAt(file, start)
  const last = lineAt(file, typeAnnotation.start)
  return file.comments.some((comment) => {
    const [from, to] = [lineAt(file, comment.start), lineAt(file, comment.end)]
    if (to < first - 1 || from > last) return false
    return !/^[\s*]*(?:@ts-|oxlint-|eslint-)/.test(comment.value) && /\w\s+\w/.test(comment.value)
  })
}

/** `let x!: T` is the same claim as `x!`. */
function definite(file: SourceFile): readonly Finding[] {
  return nodesOf(file, 'VariableDeclarator', 'PropertyDefinition')
    .filter(({ node }) => node.definite === true)
    .map(({ node }) => finding(node.start))
}

const noSuppressedTypes = ruleOfFile('no suppressed types', ({ path, comments }) =>
  comments
    .filter(({ value }) => /^[\s*/]*@ts-(?:ignore|expect-error|nocheck)\b/.test(value))
    .filter(() => !inside(path, ['test/']))
    .map(({ start }) => ({ at: start, fix: 'fix the type' })),
)

const namedExports = ruleOfFile('named exports', (file) => {
  // The tool that reads a config asks for a default; most of those stand at the root, unseen.
  if (inside(file.path, ['test/']) && file.path.endsWith('.config.ts')) return []
  const renamed = nodesOf(file, 'ExportSpecifier').filter(
    ({ node: { exported } }) => is(exported, 'Identifier') && exported.name === 'default',
  )
  return [...nodesOf(file, 'ExportDefaultDeclaration'), ...renamed].map(({ node }) => ({
    at: node.start,
    fix: 'export the noun',
  }))
})

export const typeRules: readonly Rule[] = [noAny, noSuppressedTypes, namedExports]
