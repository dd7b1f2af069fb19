import { chainOf } from './names.ts'
import { is, lineAt, nodesOf, type SourceFile } from './parse.ts'
import { ruleOfFile, type Rule } from './rule.ts'

const fileLinesMax = 350
const functionLinesMax = 60

type Span = { readonly start: number; readonly end: number }
export type Measured = {
  readonly at: number
  readonly lines: number
  /** An arrow without a block has no body to measure; it would only pull the median down. */
  readonly hasBlock: boolean
}

const filesFit = ruleOfFile('files fit in the head', ({ lines }) =>
  lines > fileLinesMax ? [{ at: 0, fix: `split by noun (${lines} of ${fileLinesMax} lines)` }] : [],
)

const functionsFit = ruleOfFile('functions fit in the head', (file) =>
  functionsIn(file)
    .filter(({ lines }) => lines > functionLinesMax)
    .map(({ at, lines }) => ({
      at,
      fix: `name the parts (${lines} of ${functionLinesMax} lines)`,
    })),
)

/** A `describe` callback is a chapter: it is not measured, and does not count where it stands. */
export function functionsIn(file: SourceFile): readonly Measured[] {
  const chapters = describeCallbacks(file)
  const functions = nodesOf(
    file,
    'FunctionDeclaration',
    'FunctionExpression',
    'ArrowFunctionExpression',
  ).map(({ node }) => node)
  return functions
    .filter(({ start }) => !chapters.some((chapter) => chapter.start === start))
    .map((node) => {
      const inner = outermost(chapters.filter((chapter) => contains(node, chapter)))
      const chapterLines = inner.reduce((sum, chapter) => sum + linesOf(file, chapter) - 2, 0)
      const hasBlock = node.body?.type === 'BlockStatement'
      return { at: node.start, lines: linesOf(file, node) - chapterLines, hasBlock }
    })
}

function describeCallbacks(file: SourceFile): readonly Span[] {
  return nodesOf(file, 'CallExpression').flatMap(({ node }) =>
    chainOf(node.callee)[0] === 'describe'
      ? node.arguments.filter(
          (one) => is(one, 'ArrowFunctionExpression') || is(one, 'FunctionExpression'),
        )
      : [],
  )
}

function outermost(spans: readonly Span[]): readonly Span[] {
  return spans.filter((span) => !spans.some((other) => contains(other, span)))
}

function contains(outer: Span, inner: Span): boolean {
  return outer.start < inner.start && inner.end <= outer.end
}

function linesOf(file: SourceFile, { start, end }: Span): number {
  return lineAt(file, end) - lineAt(file, start) + 1
}

export const sizeRules: readonly Rule[] = [filesFit, functionsFit]
