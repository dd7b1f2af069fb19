import { describe, expect, test } from 'vitest'
import { refusing } from '../support/audit-log.ts'
import { goodClaims, house } from '../support/house.ts'
import { signListener, signPath } from '../support/sign-listener.ts'

/** CONTRACT §1, "Order of checks, part of the API": each fault is made beside any of the others. */
const faults = [
  'not_found',
  'unauthenticated',
  'request_too_large',
  'unsupported_media_type',
  'malformed_request',
  'key_not_found',
  'claim_not_allowed',
  'claims_refused',
  'rate_limited',
  'suspended',
] as const
type Fault = (typeof faults)[number]

const subsets: readonly (readonly Fault[])[] = Array.from(
  { length: 2 ** faults.length },
  (_, bits) => faults.filter((_fault, i) => (bits >> i) & 1),
)

/** A good request, with these faults. */
function requestWith(chosen: readonly Fault[]) {
  const has = (fault: Fault) => chosen.includes(fault)
  const path = signPath(has('rate_limited') ? 'limited' : 'reports')
  const body = {
    claims: {
      sub: has('claims_refused') ? 'longer than eight' : '42',
      ...(has('claim_not_allowed') ? { exp: 1 } : {}),
    },
    ...(has('malformed_request') ? { more: 1 } : {}),
  }
  const raw = JSON.stringify(body) + ' '.repeat(has('request_too_large') ? 65_536 : 0)
  const type = has('unsupported_media_type') ? 'text/plain' : 'application/json'
  const caller = has('key_not_found') ? 'stranger' : 'blog-backend'
  const as = has('unauthenticated') ? null : caller
  return {
    path: has('not_found') ? `${path}/` : path,
    ask: {
      method: 'POST',
      raw,
      headers: { 'Content-Type': type, 'Content-Length': `${raw.length}` },
      as,
    },
  }
}

test('of any faults at once, the one that the API looks at first is answered', async () => {
  const listener = await signListener(house())
  await listener.ask(signPath('limited'), { body: goodClaims })
  const given: Record<string, unknown> = {}
  const expected: Record<string, unknown> = {}
  for (const chosen of subsets) {
    listener.audit.answerIntents(chosen.includes('suspended') ? refusing('suspended') : () => 0)
    const { path, ask } = requestWith(chosen)
    const { body } = await listener.ask(path, ask)
    given[chosen.join()] = body['code']
    expected[chosen.join()] = chosen[0]
  }
  expect(given).toEqual(expected)
  expect(subsets).toHaveLength(1_024)
})

describe('among what depends on the key', () => {
  const segment = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = (header: object, claims: object) => ({
    signingInput: `${segment({ alg: 'ES256', ...header })}.${segment(claims)}`,
  })
  const refused = { iss: 'https://evil.example' }

  test.each([
    ['a purpose before an operation', 'readable', { message: '' }, 'wrong_purpose'],
    ['a purpose before a form’s own faults', 'documents', { signingInput: '' }, 'wrong_purpose'],
    [
      'an operation before a form’s own faults',
      'readable',
      { signingInput: '' },
      'operation_not_granted',
    ],
    [
      'a header before a kid',
      'reports',
      input({ kid: 'old', crit: [] }, refused),
      'malformed_signing_input',
    ],
    [
      'an alg before a kid',
      'reports',
      input({ kid: 'old', alg: 'none' }, refused),
      'malformed_signing_input',
    ],
    [
      'a kid before the claim rules',
      'reports',
      input({ kid: 'old' }, refused),
      'version_not_active',
    ],
    ['the claim rules before the limits', 'limited', input({}, refused), 'claims_refused'],
    ['the limits before a version is looked for', 'limited', goodClaims, 'rate_limited'],
  ])('%s', async (_, key, body, code) => {
    const { ask } = await signListener(house())
    await ask(signPath('limited'), { body: goodClaims })
    const answer = await ask(signPath(key), { body })
    expect(answer.body['code']).toBe(code)
  })
})

test('a wrong method is told without a credential, and a path that is none before its method', async () => {
  const { ask } = await signListener(house())
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY', 'PROPFIND']) {
    const onRoute = await ask(signPath('reports'), { method, as: null })
    expect([method, onRoute.status, onRoute.body['code']]).toEqual([
      method,
      405,
      'method_not_allowed',
    ])
    const elsewhere = await ask('/v1/keys', { method, as: null })
    expect([method, elsewhere.status, elsewhere.body['code']]).toEqual([method, 404, 'not_found'])
  }
})

test('a stopping service says so before it looks at a credential', async () => {
  const { ask, close } = await signListener(house())
  close()
  const answer = await ask(signPath('reports'), { body: goodClaims, as: null })
  expect(answer.body['code']).toBe('draining')
  expect((await ask('/healthz', { as: null })).text).toBe('ok\n')
})
