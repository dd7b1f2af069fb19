import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { goodClaims, house } from '../support/house.ts'
import { type Ask, signListener, signPath } from '../support/sign-listener.ts'
import { failing } from '../support/watched-signer.ts'

const ulid = /^[0-9A-HJKMNP-TV-Z]{26}$/

/** One answer of each sort. */
const answers: readonly (readonly [number, string, Ask])[] = [
  [200, signPath('reports'), { body: goodClaims }],
  [200, signPath('reports'), { body: goodClaims, headers: { Accept: 'text/plain' } }],
  [200, '/v1/keys/reports/fingerprint', {}],
  [200, '/v1/keys/reports/fingerprint?format=github', {}],
  [200, '/openapi.json', { as: null }],
  [200, '/healthz', { as: null }],
  [200, '/healthz', { as: null, method: 'HEAD' }],
  [400, signPath('reports'), { body: {} }],
  [401, signPath('reports'), { body: goodClaims, as: null }],
  [404, signPath('hidden'), { body: goodClaims }],
  [404, '/no/such/path', {}],
  [405, signPath('reports'), { method: 'GET' }],
]

describe.each(answers)('%i of %s %j', (status, path, ask) => {
  test('carries a ulid of its own', async () => {
    const listener = await signListener(house())
    const seen = new Set<unknown>()
    for (const _ of [1, 2, 3]) {
      const answer = await listener.ask(path, ask)
      expect(answer.status).toBe(status)
      expect(answer.headers.get('x-request-id')).toMatch(ulid)
      seen.add(answer.headers.get('x-request-id'))
    }
    expect(seen.size).toBe(3)
  })

  test.each(['a', 'A.b_c-9', '.'.repeat(64), '-'])(
    'carries the caller’s own id: %s',
    async (id) => {
      const listener = await signListener(house())
      const answer = await listener.ask(path, {
        ...ask,
        headers: { ...ask.headers, 'X-Request-Id': id },
      })
      expect(answer.headers.get('x-request-id')).toBe(id)
      expect(answer.body['requestId']).toBe(status < 400 ? undefined : id)
    },
  )

  test.each(['', 'a'.repeat(65), 'a b', 'a,b', 'ä', 'a/b', '<b>', 'a:b', '%61'])(
    'shows nothing of an id that does not fit: %j',
    async (id) => {
      const listener = await signListener(house())
      const headers = { ...ask.headers, 'X-Request-Id': id }
      const answer = await listener.ask(path, { ...ask, headers })
      expect(answer.status).toBe(status)
      expect(answer.headers.get('x-request-id')).toMatch(ulid)
    },
  )
})

test('the audit keeps our id and the caller’s', async () => {
  const { ask, audit } = await signListener(house())
  await ask(signPath('reports'), { body: goodClaims, headers: { 'X-Request-Id': 'theirs' } })
  await ask(signPath('reports'), { body: goodClaims })
  const [named, unnamed] = audit.intents
  expect(named).toMatchObject({ request: expect.stringMatching(ulid), callerRequest: 'theirs' })
  expect(unnamed).toMatchObject({ request: expect.stringMatching(ulid), callerRequest: undefined })
})

test('a signature says how long the vault took, and nothing else does', async () => {
  const { vault, ...setting } = house()
  const { ask, clock } = await signListener(setting)
  vault.answer((signature) => {
    clock.advance(12.345)
    return signature
  })
  const signed = await ask(signPath('reports'), { body: goodClaims })
  expect(signed.headers.get('server-timing')).toMatch(/^vault;dur=12\.3[45]$/)
  for (const [, path, other] of answers.slice(2)) {
    expect((await ask(path, other)).headers.get('server-timing')).toBeNull()
  }
})

test.each([
  [1, '1'],
  [1_000, '1'],
  [1_001, '2'],
  [30_000, '30'],
])(
  'a vault that says when to come again, in %i ms, is passed on in whole seconds',
  async (retryAfterMs, header) => {
    const { vault, ...setting } = house()
    const { ask } = await signListener(setting)
    const details = { retryAfterMs }
    vault.answer(
      failing(new ServiceError('vault_throttled', 'The vault is throttling', { details })),
    )
    const answer = await ask(signPath('reports'), { body: goodClaims })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, header])
    expect(answer.body).not.toHaveProperty('retryAfterMs')
  },
)

test('an answer has no headers but those that it should', async () => {
  const { ask } = await signListener(house())
  const names = async (path: string, asked: Ask) => [...(await ask(path, asked)).headers.keys()]
  const always = ['cache-control', 'content-type', 'x-request-id']
  const signed = await names(signPath('reports'), { body: goodClaims })
  expect(signed).toEqual(['cache-control', 'content-type', 'server-timing', 'x-request-id'])
  expect(await names('/v1/keys/reports/fingerprint', {})).toEqual(always)
  expect(await names('/openapi.json', { as: null })).toEqual(always)
  expect(await names(signPath('reports'), { as: null, method: 'GET' })).toEqual([
    'allow',
    ...always,
  ])
})

test.each([
  [signPath('reports'), 'POST'],
  ['/v1/keys/reports/fingerprint', 'GET, HEAD'],
  ['/openapi.json', 'GET, HEAD'],
  ['/healthz', 'GET, HEAD'],
])('405 on %s allows %s', async (path, allow) => {
  const { ask } = await signListener(house())
  const answer = await ask(path, { method: 'DELETE', as: null })
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow])
})

describe('a credential that is missing or bad', () => {
  const good = 'Bearer chn_0000000000_0000000000000000000000000000000000000000000000000'

  test.each([
    ['none', undefined],
    ['an unknown key', good],
    ['a short one', 'Bearer chn_'],
    ['no scheme', good.slice(7)],
    ['another scheme', good.replace('Bearer', 'Basic')],
    ['empty', ''],
    ['only a scheme', 'Bearer'],
    ['two in one header', `${good}, ${good}`],
    ['letters beyond ASCII', 'Bearer \u00e4'],
    ['a megabyte', `Bearer ${'a'.repeat(1_000_000)}`],
  ])('%s: is 401 without a detail that tells them apart', async (_, authorization) => {
    const { ask, audit } = await signListener(house())
    const headers = authorization === undefined ? {} : { Authorization: authorization }
    const answer = await ask(signPath('reports'), { body: goodClaims, as: null, headers })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    expect(answer.body).toMatchObject({
      code: 'unauthenticated',
      detail: 'Send Authorization: Bearer with a valid credential',
    })
    expect(audit.events).toEqual([])
  })

  test('the scheme is read in any case, as RFC 9110 §11.1 has it', async () => {
    const { ask, bearerOf } = await signListener(house())
    const headers = { Authorization: bearerOf('blog-backend').replace('Bearer', 'bEARER') }
    const answer = await ask(signPath('reports'), { body: goodClaims, as: null, headers })
    expect(answer.status).toBe(200)
  })
})
