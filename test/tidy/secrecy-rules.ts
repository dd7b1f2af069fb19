import { inside } from './map.ts'
import { keyOf, nameOf } from './names.ts'
import { is, nodesOf, stringOf, within, type NodeOf, type Seen, type SourceFile } from './parse.ts'
import { ruleOfFile, type Finding, type Rule } from './rule.ts'
import type { Node } from 'oxc-parser'

const constantTime = ruleOfFile('secrets compared in constant time', (file) => {
  if (inside(file.path, ['src/lib/bytes.ts'])) return []
  return nodesOf(file, 'BinaryExpression')
    .filter(({ node }) => /^[=!]==?$/.test(node.operator))
    .filter(
      ({ node: { left, right } }) =>
        (isSecret(left) && !isKnown(right)) || (isSecret(right) && !isKnown(left)),
    )
    .map(({ node }) => ({ at: node.start, fix: 'use equalBytes' }))
})

function isSecret(node: Node): boolean {
  return /(?:token|secret|pin|mac)$/i.test(nameOf(node) ?? '')
}

/** Written in the source or absent: comparing with it tells an attacker nothing. */
function isKnown(node: Node): boolean {
  if (is(node, 'UnaryExpression')) return isKnown(node.argument)
  if (is(node, 'Identifier')) return node.name === 'undefined'
  return is(node, 'Literal') || stringOf(node) !== undefined
}

const importers = ['providers/*/importer.ts', 'providers/local/', 'test/']
const noWayOut = { fix: 'sign-only: there is no way out' }

const privateKeysStay = ruleOfFile('private keys are not exported', (file) => {
  if (inside(file.path, importers)) return []
  const properties = nodesOf(file, 'Property').filter(
    (seen) => isPrivateForm(seen) || isProperty(seen.node, 'generate', true),
  )
  const calls = nodesOf(file, 'CallExpression').filter(
    ({ node }) => isJwkExport(file.path, node) || isWebCryptoExport(node),
  )
  return [...properties, ...calls].map(({ node }) => ({ at: node.start, ...noWayOut }))
})

/** Reading such a key in is no export: `createPrivateKey` has no other way to name the form. */
function isPrivateForm({ node, parent }: Seen): boolean {
  const call = parent?.parent?.node
  const isRead = call?.type === 'CallExpression' && nameOf(call.callee) === 'createPrivateKey'
  return !isRead && (isProperty(node, 'type', 'pkcs8') || isProperty(node, 'type', 'sec1'))
}

/** `src/signing/` turns *public* keys into JWK; the port gives it no other. */
function isJwkExport(path: string, node: NodeOf<'CallExpression'>): boolean {
  if (inside(path, ['src/signing/']) || nameOf(node.callee) !== 'export') return false
  return node.arguments.flatMap(within).some((one) => isProperty(one, 'format', 'jwk'))
}

function isWebCryptoExport({ callee, arguments: [form] }: NodeOf<'CallExpression'>): boolean {
  if (nameOf(callee) === 'exportPKCS8') return true
  return nameOf(callee) === 'exportKey' && ['pkcs8', 'jwk'].includes(stringOf(form) ?? '')
}

function isProperty(node: Node, key: string, value: string | boolean): boolean {
  if (!is(node, 'Property') || keyOf(node) !== key) return false
  const held = is(node.value, 'TSAsExpression') ? node.value.expression : node.value
  return (is(held, 'Literal') && held.value === value) || stringOf(held) === value
}

const exactSalt = ruleOfFile('exact salt', (file) => {
  const autos = nodesOf(file, 'Identifier').filter(
    ({ node }) => node.name === 'RSA_PSS_SALTLEN_AUTO',
  )
  const signs = nodesOf(file, 'CallExpression').filter(
    ({ node }) => nameOf(node.callee) === 'createSign',
  )
  return [...autos, ...signs].map(({ node }) => ({
    at: node.start,
    fix: 'RSA_PSS_SALTLEN_DIGEST, crypto.sign',
  }))
})

const tableEntriesMin = 4

const tablesHaveSources = ruleOfFile('tables have sources', (file): readonly Finding[] => {
  if (!inside(file.path, ['providers/'])) return []
  return [...recordTables(file), ...mapTables(file)]
    .filter((table) => !hasSource(file, table))
    .map(({ node }) => ({ at: node.start, fix: 'put the page it came from above it' }))
})

function recordTables(file: SourceFile): readonly Seen[] {
  return nodesOf(file, 'VariableDeclarator').filter(({ node: { id, init } }) => {
    const checked = init && is(init, 'TSSatisfiesExpression') ? init : undefined
    const types = [id.typeAnnotation, checked?.typeAnnotation].flatMap((type) =>
      type ? within(type) : [],
    )
    const isRecord = types.some(
      (type) => is(type, 'TSTypeReference') && nameOf(type.typeName) === 'Record',
    )
    return isRecord && (init ? entriesOf(init) : 0) >= tableEntriesMin
  })
}

function entriesOf(node: Node): number {
  if (is(node, 'TSSatisfiesExpression') || is(node, 'TSAsExpression')) {
    return entriesOf(node.expression)
  }
  return is(node, 'ObjectExpression') ? node.properties.length : 0
}

function mapTables(file: SourceFile): readonly Seen[] {
  return nodesOf(file, 'NewExpression').filter(
    ({
      node: {
        callee,
        arguments: [entries],
      },
    }) => {
      const list = entries?.type === 'ArrayExpression' ? entries.elements.length : 0
      return nameOf(callee) === 'Map' && list >= tableEntriesMin
    },
  )
}

/** Above the table itself or above the statement it stands in, with nothing between but comments. */
function hasSource(file: SourceFile, seen: Seen | undefined): boolean {
  // A page above the whole file is the source of nothing in particular.
  if (!seen || is(seen.node, 'Program')) return false
  const above = commentsAbove(file, seen.node.start)
  return above.some((value) => /https:\/\/\S/.test(value)) || hasSource(file, seen.parent)
}

function commentsAbove(file: SourceFile, start: number): readonly string[] {
  const last = file.comments.findLast(
    ({ end }) => end <= start && file.text.slice(end, start).trim() === '',
  )
  return last ? [last.value, ...commentsAbove(file, last.start)] : []
}

export const secrecyRules: readonly Rule[] = [
  constantTime,
  privateKeysStay,
  exactSalt,
  tablesHaveSources,
]
