import { basename } from 'node:path'
import { inside } from './map.ts'
import { chainOf, keyOf } from './names.ts'
import { is, nodesOf, type NodeOf, type SourceFile } from './parse.ts'
import { ruleOfFile, type Rule } from './rule.ts'

const testWords = new Set(['test', 'it', 'describe', 'suite', 'bench'])

/** In halves: who searches the tree for what is unfinished is to find none of this. */
export const unfinishedMarks = ['TO-DO', 'FIX-ME', 'XX-X'].map((mark) => mark.replace('-', ''))
const unfinished = new RegExp(`\\b(?:${unfinishedMarks.join('|')})\\b`)

const noUnfinishedThoughts = ruleOfFile('no unfinished thoughts', (file) => {
  const marked = file.comments
    .filter(({ value }) => unfinished.test(value))
    .map(({ start }) => start)
  return [...marked, ...leftOut(file)].map((at) => ({ at, fix: 'an issue, or nothing' }))
})

/** `skipIf(why)` and `context.skip('why')` say what is missing; these forms just leave it out. */
function leftOut(file: SourceFile): readonly number[] {
  if (!inside(file.path, ['test/'])) return []
  return nodesOf(file, 'CallExpression')
    .filter(({ node }) => isLeftOut(node))
    .map(({ node }) => node.start)
}

function isLeftOut(call: NodeOf<'CallExpression'>): boolean {
  const chain = chainOf(call.callee)
  const isTest = testWords.has(chain[0] ?? '')
  const isSilentSkip = chain.length > 1 && chain.at(-1) === 'skip' && call.arguments.length === 0
  if (chain.slice(1).includes('only') || isSilentSkip) return true
  return isTest && (chain.some((name) => name === 'skip' || name === 'todo') || hasSwitch(call))
}

/** `test('…', { skip: true }, …)` */
function hasSwitch({ arguments: given }: NodeOf<'CallExpression'>): boolean {
  return given.some(
    (one) =>
      is(one, 'ObjectExpression') &&
      one.properties.some(
        (property) =>
          is(property, 'Property') &&
          ['skip', 'only', 'todo'].includes(keyOf(property) ?? '') &&
          is(property.value, 'Literal') &&
          property.value.value === true,
      ),
  )
}

const emptyNames = /^(?:utils?|helpers?|common|misc|managers?)$/i

const names = ruleOfFile('names', (file) => {
  const fix = 'name the idea'
  const isEmpty = file.path.split('/').some((part) =>
    basename(part)
      .split(/[-.]/)
      .some((word) => emptyNames.test(word)),
  )
  const prefixed = nodesOf(file, 'TSInterfaceDeclaration', 'TSTypeAliasDeclaration').filter(
    ({ node }) => /^I[A-Z]/.test(node.id.name),
  )
  return [
    ...(isEmpty ? [{ at: 0, fix }] : []),
    ...prefixed.map(({ node }) => ({ at: node.start, fix })),
  ]
})

/** A file the parser gives up on has no nodes, so every other rule would pass over it. */
const filesParse = ruleOfFile('files parse', ({ errors }) =>
  errors.slice(0, 1).map((error) => ({ at: 0, fix: `no rule can see into it: ${error}` })),
)

export const wordRules: readonly Rule[] = [noUnfinishedThoughts, names, filesParse]
