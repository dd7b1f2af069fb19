import { chainOf } from './names.ts'
import { is, nodesOf, within, type NodeOf, type SourceFile } from './parse.ts'
import { ruleOfFile, type Rule } from './rule.ts'
import type { Node } from 'oxc-parser'

const opens = new Set(['writeTransaction', 'inTransaction', 'transaction'])
const outside = /signer|vault|registry/i

/**
 * SQLite has one writer: whatever a callback waits for, every other writer waits for too. It may
 * await the handle it was given, and what was made from the handle, and nothing else.
 */
export const transactionRule: Rule = ruleOfFile('transactions are short', (file) =>
  callbacksIn(file).flatMap((callback) => {
    const handles = handlesOf(callback)
    return within(callback.body)
      .filter((node) => isForeignAwait(node, handles) || isForeignCall(node, handles))
      .map(({ start }) => ({
        at: start,
        fix: 'no I/O, no other await, in a write transaction',
      }))
  }),
)

type Callback = NodeOf<'ArrowFunctionExpression'> | (NodeOf<'FunctionExpression'> & HasBody)
type HasBody = { readonly body: Node }

function callbacksIn(file: SourceFile): readonly Callback[] {
  return nodesOf(file, 'CallExpression')
    .filter(({ node }) => isTransaction(node))
    .flatMap(({ node }) => node.arguments.filter(isCallback))
}

/** Kysely's form too: `db.transaction().execute(callback)`. */
function isTransaction({ callee }: NodeOf<'CallExpression'>): boolean {
  const chain = chainOf(callee)
  const last = chain.at(-1) ?? ''
  return opens.has(last) || (last === 'execute' && chain.some((name) => opens.has(name)))
}

function isCallback(node: Node): node is Callback {
  return is(node, 'ArrowFunctionExpression') || (is(node, 'FunctionExpression') && !!node.body)
}

/** The parameters' names, then every name that was made from one without waiting. */
function handlesOf({ params, body }: Callback): ReadonlySet<string> {
  const handles = new Set(params.flatMap(boundBy))
  for (const node of within(body)) {
    if (!is(node, 'VariableDeclarator') || !node.init) continue
    // What an await answered is data: waiting for something else with it is still waiting.
    if (is(node.init, 'AwaitExpression') || !mentions(node.init, handles)) continue
    for (const name of boundBy(node.id)) handles.add(name)
  }
  return handles
}

/** A parameter binds its names, not those of its type. */
function boundBy(pattern: Node): readonly string[] {
  const types = within(pattern).filter((node) => is(node, 'TSTypeAnnotation'))
  const inTypes = new Set(types.flatMap(namesIn))
  return namesIn(pattern).filter((name) => !inTypes.has(name))
}

function namesIn(node: Node): readonly string[] {
  return within(node).flatMap((one) => (is(one, 'Identifier') ? [one.name] : []))
}

function mentions(node: Node, handles: ReadonlySet<string>): boolean {
  return namesIn(node).some((name) => handles.has(name))
}

function isForeignAwait(node: Node, handles: ReadonlySet<string>): boolean {
  if (is(node, 'ForOfStatement')) return node.await && !mentions(node.right, handles)
  return is(node, 'AwaitExpression') && !mentions(node.argument, handles)
}

/** Not awaited is no better: its failure would arrive after the commit. */
function isForeignCall(node: Node, handles: ReadonlySet<string>): boolean {
  if (!is(node, 'CallExpression')) return false
  const chain = chainOf(node.callee)
  if (chain.at(-1) === 'fetch') return true
  if (!chain.some((name) => outside.test(name))) return false
  return !handles.has(chain[0] ?? '') && !node.arguments.some((one) => mentions(one, handles))
}
