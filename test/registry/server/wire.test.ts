import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ServiceError } from '../../../src/errors.ts'
import { memoryKeyPair, publicAlgorithmNames } from '../../support/memory-key.ts'
import { exchange, requestText } from '../../support/raw-socket.ts'
import { contentfulJwk, orphanRsa, rfcJwk } from '../../support/registry-keys.ts'
import {
  jwksPath,
  keysPath,
  listening,
  testRegistry,
  type TestRegistry,
} from '../../support/registry.ts'

let registry: TestRegistry
beforeEach(async () => {
  registry = await testRegistry()
})

describe('on the wire', () => {
  const body = JSON.stringify({ jwk: contentfulJwk(orphanRsa()) })
  const post = `POST ${keysPath()} HTTP/1.1`
  const json = 'Content-Type: application/json'

  /** A request that must not be served, and another one behind it that must not be, either. */
  async function refused(start: string, headers: readonly string[], content = '') {
    const { url } = await listening(registry)
    const good = requestText(`GET ${jwksPath()} HTTP/1.1`, ['Host: c', 'Connection: close'])
    const sent = requestText(start, ['Host: c', ...headers], content) + good
    const { text, statuses } = await exchange(url, sent)
    expect(text).toContain('Connection: close')
    expect((await registry.ask(keysPath())).body).toMatchObject({ total: 0 })
    return { text, statuses }
  }

  test('two Authorization headers are 400, and no token is chosen among them', async () => {
    const { admin, reader } = registry
    const both = [`Authorization: Bearer ${reader}`, `Authorization: Bearer ${admin}`]
    const { text, statuses } = await refused(
      post,
      [...both, json, `Content-Length: ${body.length}`],
      body,
    )
    expect(statuses).toEqual([400])
    expect(text).toContain('"id":"BadRequest"')
    expect(text).toContain('application/vnd.contentful.management.v1+json')
    expect(text).toContain('X-Contentful-Request-Id: an-id')
  })

  test('a body without a token is not waited for', async () => {
    const { statuses } = await refused(post, [json, 'Content-Length: 60000'])
    expect(statuses).toEqual([401])
  })

  test('a body in chunks is refused where it becomes too large', async () => {
    const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`
    const headers = [`Authorization: Bearer ${registry.admin}`, json, 'Transfer-Encoding: chunked']
    const { statuses } = await refused(post, headers, `${chunk.repeat(5)}0\r\n\r\n`)
    expect(statuses).toEqual([413])
  })

  test.each([`/${keysPath()}`, `${keysPath()}/../keys`, `/.${keysPath()}`, '/apps/%2e%2e/blog'])(
    'the path %s is none, whatever it would be elsewhere',
    async (path) => {
      const { url } = await listening(registry)
      const headers = ['Host: c', `Authorization: Bearer ${registry.admin}`, 'Connection: close']
      const { statuses } = await exchange(url, requestText(`GET ${path} HTTP/1.1`, headers))
      expect(statuses).toEqual([404])
    },
  )
})

test('a private member is refused and is in no answer and no log line: random private keys', async () => {
  const names = ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const
  const secrets = publicAlgorithmNames.flatMap((alg) =>
    (['one', 'other'] as const).map((which) => [alg, memoryKeyPair(alg, which).secret] as const),
  )
  const said: string[] = []
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...secrets),
      fc.subarray([...names], { minLength: 1 }),
      async ([alg, secret], sent) => {
        const jwk = secret.export({ format: 'jwk' })
        const members = sent.flatMap((name) => (jwk[name] === undefined ? [] : [[name, jwk[name]]]))
        fc.pre(members.length > 0)
        registry.clock.advance(1_000)
        const body = { jwk: { ...rfcJwk(alg), ...Object.fromEntries(members) } }
        const answer = await registry.ask(keysPath(), { body })
        expect(answer.status).toBe(422)
        const list = await registry.ask(keysPath())
        said.push(answer.text, list.text, (await registry.ask(jwksPath())).text)
      },
    ),
    { numRuns: 200 },
  )
  const everything = said.join('') + registry.log()
  for (const [, secret] of secrets) {
    const jwk = secret.export({ format: 'jwk' })
    const shown = names.filter((name) => everything.includes(jwk[name] ?? 'no such member'))
    expect(shown).toEqual([])
  }
  expect(said.length).toBeGreaterThan(300)
})

test('every request is one log line: who, what and how it ended, and nothing that was sent', async () => {
  const { ask, admin, reader, log } = registry
  const jwk = rfcJwk('ES256')
  const created = await ask(keysPath(), { body: { jwk } })
  await ask(keysPath(), { body: { jwk: { hunter2: 'hunter2' } } })
  await ask(keysPath('hunter2'), { token: reader })
  await ask(keysPath(), { token: 'hunter2' })
  await ask('/hunter2')
  await ask(jwksPath(), { token: undefined })
  const line = z.looseObject({ request: z.string() })
  const lines = log()
    .trimEnd()
    .split('\n')
    .map((text) => line.parse(JSON.parse(text)))
  const [adminId, readerId] = [admin, reader].map((token) => token.split('_')[1])
  expect(lines).toMatchObject([
    { event: 'request', route: 'create', by: adminId, app: 'blog', code: 'ok', status: 201 },
    { route: 'create', by: adminId, app: 'blog', code: 'jwk_invalid', status: 422 },
    { route: 'list', by: readerId, code: 'not_found', status: 404 },
    { route: 'list', code: 'token_invalid', status: 401 },
    { route: 'none', code: 'not_found', status: 404 },
    { route: 'jwks', app: 'blog', code: 'ok', status: 200 },
  ])
  expect(lines[0]?.request).toBe(created.headers.get('x-contentful-request-id'))
  expect(log()).not.toContain('hunter2')
  expect(log()).not.toContain(jwk.kid)
})

test('healthz answers ok while the database can be read, and 503 when it cannot', async () => {
  const good = await registry.ask('/healthz', { token: undefined })
  expect([good.status, good.text]).toEqual([200, 'ok\n'])
  const { ask } = await testRegistry((store) => ({
    writeTransaction: (work) => store.writeTransaction(work),
    get connection(): never {
      throw new ServiceError('store_unavailable', 'the disk is gone')
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }))
  const bad = await ask('/healthz', { token: undefined })
  expect([bad.status, bad.body]).toMatchObject([503, { sys: { id: 'ServerError' } }])
})
