import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ServiceError } from '../../../src/errors.ts'
import { revokeToken } from '../../../src/registry/server/desk.ts'
import { contentfulJwk, orphanRsa } from '../../support/registry-keys.ts'
import {
  type Answer,
  type Asked,
  contentfulError,
  jwksPath,
  keysPath,
  testRegistry,
  type TestRegistry,
} from '../../support/registry.ts'

let registry: TestRegistry
beforeEach(async () => {
  registry = await testRegistry()
})

const register = (app = 'blog', key = orphanRsa(), asked: Asked = {}) =>
  registry.ask(keysPath(app), { body: { jwk: contentfulJwk(key) }, ...asked })

/** Everything that a client can read of an answer. */
const seen = ({ status, body, headers }: Answer) => ({
  status,
  body,
  type: headers.get('content-type'),
  cache: headers.get('cache-control'),
  isNamed: headers.get('x-contentful-request-id') === body.requestId,
})

const refused = (status: number, body: object) => ({
  status,
  body,
  type: 'application/vnd.contentful.management.v1+json',
  cache: 'no-store',
  isNamed: true,
})

const notFound = contentfulError('NotFound', 'The resource could not be found.')
const invalidToken = contentfulError(
  'AccessTokenInvalid',
  'The access token you sent could not be found or is invalid.',
)
const inUse = contentfulError('BadRequest', 'The key pair is already in use.')
const malformed = contentfulError(
  'BadRequest',
  'The body is not one JSON value with unique, plain names.',
)
const wrongType = contentfulError(
  'BadRequest',
  'Send Content-Type: application/vnd.contentful.management.v1+json or application/json.',
)
const readOnly = contentfulError('AccessDenied', 'Forbidden', {
  reasons: 'The token may only read.',
})
const full = contentfulError('AccessDenied', 'Forbidden', { reasons: 'Usage exceeded.' })

const aKid = 'k'.repeat(43)

describe('401 AccessTokenInvalid', () => {
  test.each<[string, () => Asked]>([
    ['no token', () => ({ token: undefined })],
    ['another scheme', () => ({ token: undefined, headers: { Authorization: 'Basic YTpi' } })],
    ['a token of no shape', () => ({ token: 'secret' })],
    ['an unknown token', () => ({ token: `chr_${'A'.repeat(10)}_${'b'.repeat(49)}` })],
    ['a known id with another secret', () => ({ token: registry.admin.slice(0, -1) + '~' })],
    ['an API key of the service', () => ({ token: registry.admin.replace('chr_', 'chn_') })],
  ])('answers %s', async (_, asked) => {
    for (const [path, method] of [
      [keysPath(), 'GET'],
      [keysPath(), 'POST'],
      [`${keysPath()}/${aKid}`, 'GET'],
      [`${keysPath()}/${aKid}`, 'DELETE'],
      [keysPath('no-app', 'no-org'), 'GET'],
    ] as const) {
      const answer = await registry.ask(path, { method, ...asked() })
      expect(seen(answer)).toEqual(refused(401, invalidToken))
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    }
  })

  test('answers a secret that differs in any one character', async () => {
    const { admin, ask } = registry
    const others = Array.from(admin, (character, i) => {
      const other = character === 'a' ? 'b' : 'a'
      return admin.slice(0, i) + other + admin.slice(i + 1)
    })
    const statuses = await Promise.all(
      others.map(async (token) => (await ask(keysPath(), { token })).status),
    )
    expect(others.length).toBeGreaterThan(60)
    expect(new Set(statuses)).toEqual(new Set([401]))
  })

  test('answers a token from the moment that it is revoked', async () => {
    const { store, ask, admin } = registry
    expect((await ask(keysPath())).status).toBe(200)
    const id = admin.split('_')[1] ?? ''
    await revokeToken({ store, actor: 'ops@host', now: 1 }, id)
    expect(seen(await ask(keysPath()))).toEqual(refused(401, invalidToken))
    expect(seen(await register())).toEqual(refused(401, invalidToken))
  })
})

describe('403 AccessDenied', () => {
  test('answers a reader that writes, and nothing is changed', async () => {
    const { ask, reader: token } = registry
    const kid = contentfulJwk(orphanRsa()).kid
    expect(seen(await register('blog', orphanRsa(), { token }))).toEqual(refused(403, readOnly))
    expect(seen(await ask(`${keysPath()}/${kid}`, { method: 'DELETE', token }))).toEqual(
      refused(403, readOnly),
    )
    expect((await ask(keysPath(), { token })).body).toMatchObject({ total: 0 })
  })

  test('answers the fourth key of an app, until one is withdrawn', async () => {
    const keys = [orphanRsa(), orphanRsa(), orphanRsa()]
    for (const key of keys) expect((await register('blog', key)).status).toBe(201)
    const fourth = orphanRsa()
    expect(seen(await register('blog', fourth))).toEqual(refused(403, full))
    expect((await register('shop', orphanRsa())).status).toBe(201)
    const path = `${keysPath()}/${contentfulJwk(keys[1] ?? fourth).kid}`
    expect((await registry.ask(path, { method: 'DELETE' })).status).toBe(204)
    expect((await register('blog', fourth)).status).toBe(201)
  })
})

describe('400', () => {
  test('BadRequest answers a key pair that any app has, full or not, in either shape', async () => {
    const key = orphanRsa()
    expect((await register('blog', key)).status).toBe(201)
    expect(seen(await register('blog', key))).toEqual(refused(400, inUse))
    expect(seen(await register('shop', key))).toEqual(refused(400, inUse))
    const theirs = { body: { jwk: contentfulJwk(key) }, token: registry.stranger }
    expect(seen(await registry.ask(keysPath('theirs', 'other'), theirs))).toEqual(
      refused(400, inUse),
    )
    await register()
    await register()
    expect(seen(await register('blog', key))).toEqual(refused(400, inUse))
  })

  test.each([
    ['no JSON', '{'],
    ['nothing', ''],
    ['two values', '{} {}'],
    ['a member that stands twice', '{"jwk":{},"jwk":{}}'],
    ['a member in disguise', '{"jw\\u006b":{}}'],
    ['__proto__', '{"jwk":{"__proto__":{}}}'],
  ])('BadRequest answers a body that is %s', async (_, body) => {
    expect(seen(await registry.ask(keysPath(), { body, method: 'POST' }))).toEqual(
      refused(400, malformed),
    )
  })

  test.each(['limit=-1', 'limit=1001', 'skip=a', 'skip=', 'limit=1&limit=2', 'order=sys.id'])(
    'InvalidQuery answers ?%s',
    async (query) => {
      const message = 'The query has only skip and limit, two small numbers.'
      const answer = await registry.ask(`${keysPath()}?${query}`)
      expect(seen(answer)).toEqual(refused(400, contentfulError('InvalidQuery', message)))
    },
  )
})

describe('404 NotFound', () => {
  test.each<[string, string, string?]>([
    ['an unknown app', keysPath('nothing')],
    ['an app of another organization, asked for in ours', keysPath('theirs')],
    ['another organization', keysPath('theirs', 'other')],
    ['an organization that is not there', keysPath('blog', 'nobody')],
    ['an unknown key', `${keysPath()}/${aKid}`],
    ['the withdrawal of an unknown key', `${keysPath()}/${aKid}`, 'DELETE'],
    ['a method that a path does not have', keysPath(), 'PUT'],
    ['the withdrawal of everything', keysPath(), 'DELETE'],
    ['a path that is none', '/organizations/acme'],
    ['a path in disguise', '/organizations/acme/app_definitions/bl%6fg/keys'],
    ['a path with an empty part', '/organizations/acme/app_definitions//keys'],
    ['a slash too many', `${keysPath()}/`],
    ['the JWKS of an unknown app', jwksPath('nothing')],
    [
      'what would be a secret of the app',
      '/organizations/acme/app_definitions/blog/signing_secret',
    ],
  ])('answers %s', async (_, path, method = 'GET') => {
    expect(seen(await registry.ask(path, { method }))).toEqual(refused(404, notFound))
  })

  test('answers another organization’s token as if the app were not there, byte for byte', async () => {
    const { ask, stranger: token } = registry
    const [mine, none] = [await ask(keysPath(), { token }), await ask(keysPath('no'), { token })]
    expect(seen(mine)).toEqual(refused(404, notFound))
    const withoutId = ({ text, body }: Answer) => text.replace(body.requestId ?? '', '')
    expect(withoutId(mine)).toBe(withoutId(none))
    expect(seen(await register('blog', orphanRsa(), { token }))).toEqual(refused(404, notFound))
  })
})

test('413 answers a body beyond 64 KiB, and closes: its rest is not read', async () => {
  const body = `{"jwk":"${'a'.repeat(65_536)}"}`
  const answer = await registry.ask(keysPath(), { body })
  expect(seen(answer)).toEqual(
    refused(413, contentfulError('BadRequest', 'The body is too large.')),
  )
  expect(answer.headers.get('connection')).toBe('close')
})

test('415 answers a body that does not say that it is JSON', async () => {
  for (const type of ['text/plain', 'application/json; charset=latin1', 'application/xml']) {
    const headers = { 'Content-Type': type }
    expect(seen(await register('blog', orphanRsa(), { headers }))).toEqual(refused(415, wrongType))
  }
  for (const type of ['application/json', 'Application/JSON; charset=UTF-8']) {
    const headers = { 'Content-Type': type }
    expect((await register('blog', orphanRsa(), { headers })).status).toBe(201)
  }
})

describe('429 RateLimitExceeded', () => {
  const limit = 50

  test('answers a token beyond its rate, says when to come back, and keeps its word', async () => {
    const { ask, clock, reader } = registry
    const burst = await Promise.all(Array.from({ length: limit + 1 }, () => ask(keysPath())))
    expect(burst.filter(({ status }) => status === 200)).toHaveLength(limit)
    const late = await ask(keysPath())
    const message = 'The access token has exceeded its rate limit.'
    expect(seen(late)).toEqual(refused(429, contentfulError('RateLimitExceeded', message)))
    expect(late.headers.get('x-contentful-ratelimit-reset')).toBe('1')
    expect(late.headers.get('retry-after')).toBe('1')
    expect((await ask(keysPath(), { token: reader })).status).toBe(200)
    expect((await ask(jwksPath())).status).toBe(200)
    clock.advance(1_000)
    expect((await ask(keysPath())).status).toBe(200)
  })
})

describe('5xx ServerError', () => {
  const failing = (error: Error) =>
    testRegistry((store) => ({
      ...store,
      async writeTransaction() {
        throw error
      },
    }))
  const body = { jwk: contentfulJwk(orphanRsa()) }

  test('503 answers while the database cannot be used; the log has the cause', async () => {
    const cause = new Error('SQLITE_FULL at /secret/path')
    const { ask, log } = await failing(new ServiceError('store_unavailable', 'full', { cause }))
    const answer = await ask(keysPath(), { body })
    const message = 'The registry cannot use its database.'
    expect(seen(answer)).toEqual(refused(503, contentfulError('ServerError', message)))
    expect(log()).toContain('/secret/path')
  })

  test('500 answers a bug, and says nothing of it', async () => {
    const { ask, log } = await failing(new TypeError('undefined is not /secret/path'))
    const answer = await ask(keysPath(), { body })
    const message = 'Something went wrong on the server.'
    expect(seen(answer)).toEqual(refused(500, contentfulError('ServerError', message)))
    expect(log()).toContain('/secret/path')
  })

  describe('504', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    })
    afterEach(() => {
      vi.useRealTimers()
    })

    test('answers after 5 s what waits for a lock longer than that', async () => {
      const never = new Promise<never>(() => {})
      const asked = Promise.withResolvers<void>()
      const { ask } = await testRegistry((store) => ({
        ...store,
        writeTransaction: () => {
          asked.resolve()
          return never
        },
      }))
      const answering = ask(keysPath(), { body })
      await asked.promise
      await vi.advanceTimersByTimeAsync(5_000)
      const message = 'The deadline passed before the answer was ready.'
      expect(seen(await answering)).toEqual(refused(504, contentfulError('ServerError', message)))
    })
  })
})
