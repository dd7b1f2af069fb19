import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AccessRequest, decide, type Decision, indexGrants } from '../../src/policy/decide.ts'
import { type Grant, type Operation, operations, operationsOf } from '../../src/policy/grant.ts'
import { grantOn, keyOf, profileSettings } from '../support/grant.ts'

const blog = keyOf('blog', { profile: profileSettings['contentful-app'] })
const documents = keyOf('documents')
const onBlog = grantOn(blog, { caller: 'web', operations: ['sign-claims'] })
const onDocuments = grantOn(documents, { caller: 'web', operations: ['sign-message'] })
const grants = indexGrants([onBlog, onDocuments])

function asked(part: Partial<AccessRequest>): AccessRequest {
  return { caller: 'web', key: 'blog', operation: 'sign-claims', purpose: 'jwt', ...part }
}

test('a grant on caller, key and operation allows, and is the one that is told', () => {
  expect(decide(grants, asked({}))).toEqual({ verdict: 'allow', grant: onBlog })
})

test.each([
  ['another caller', { caller: 'stranger' }],
  ['no caller', { caller: '' }],
  ['a caller in another case', { caller: 'Web' }],
  ['a key without a grant', { key: 'reports' }],
  ['a key that begins the same', { key: 'blo' }],
  ['a name of Object.prototype', { key: 'constructor' }],
  ['caller and key that only together read the same', { caller: 'web blog', key: '' }],
  ['another purpose on a key without a grant', { key: 'reports', purpose: 'bytes' }],
] as const)('%s: the key is hidden', (_, part) => {
  expect(decide(grants, asked(part))).toEqual({ verdict: 'hide' })
})

test.each(operations)('without any grant, %s is hidden on every key', (operation) => {
  for (const purpose of ['jwt', 'bytes', undefined] as const) {
    expect(decide(indexGrants([]), asked({ operation, purpose }))).toEqual({ verdict: 'hide' })
  }
})

test('a body of the other purpose is told before the operation is looked at', () => {
  const refused = { verdict: 'refuse', code: 'wrong_purpose' }
  const message = asked({ operation: 'sign-message', purpose: 'bytes' })
  expect(decide(grants, message)).toEqual(refused)
  expect(decide(grants, asked({ key: 'documents' }))).toEqual(refused)
})

test('an operation of the right purpose that no grant names is refused', () => {
  const refused = { verdict: 'refuse', code: 'operation_not_granted' }
  expect(decide(grants, asked({ operation: 'sign-input' }))).toEqual(refused)
  expect(decide(grants, asked({ operation: 'read-fingerprint', purpose: undefined }))).toEqual(
    refused,
  )
})

test('no operation belongs to both purposes but reading fingerprints', () => {
  const jwt: readonly Operation[] = operationsOf.jwt
  expect(operationsOf.bytes.filter((operation) => jwt.includes(operation))).toEqual([
    'read-fingerprint',
  ])
  expect(new Set<Operation>([...jwt, ...operationsOf.bytes])).toEqual(new Set(operations))
})

/** DESIGN §4 once more, as one would write it down without an index. */
function decideNaively(all: readonly Grant[], request: AccessRequest): Decision {
  let isHidden = true
  for (const { caller, key } of all) {
    if (caller !== request.caller || key.name !== request.key) continue
    isHidden = false
    if (request.purpose !== undefined && key.purpose !== request.purpose) {
      return { verdict: 'refuse', code: 'wrong_purpose' }
    }
  }
  if (isHidden) return { verdict: 'hide' }
  for (const grant of all) {
    const isCovering =
      grant.caller === request.caller &&
      grant.key.name === request.key &&
      grant.operations.includes(request.operation)
    if (isCovering) return { verdict: 'allow', grant }
  }
  return { verdict: 'refuse', code: 'operation_not_granted' }
}

test('the decision is that of a naive reading of the design, for any grants and any request', () => {
  const caller = fc.constantFrom('web', 'billing', 'mesh', '*', '')
  const key = fc.constantFrom(blog, documents, keyOf('reports', { profile: blog.profile }))
  const operation = fc.constantFrom(...operations)
  const grant = fc
    .record({ caller, key, operations: fc.uniqueArray(operation, { maxLength: 3 }) })
    .map(({ key: on, ...part }) => grantOn(on, part))
  const request = fc.record({
    caller,
    key: fc.constantFrom('blog', 'documents', 'reports', 'absent', '*'),
    operation,
    purpose: fc.constantFrom('jwt', 'bytes', undefined),
  })
  const seen = new Set<string>()
  const property = fc.property(fc.array(grant, { maxLength: 12 }), request, (all, one) => {
    const decision = decide(indexGrants(all), one)
    seen.add(decision.verdict === 'refuse' ? decision.code : decision.verdict)
    expect(decision).toEqual(decideNaively(all, one))
  })
  fc.assert(property, { numRuns: 20_000 })
  expect(seen).toEqual(new Set(['allow', 'hide', 'wrong_purpose', 'operation_not_granted']))
})
