import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { house, houseKeys } from '../support/house.ts'
import { type Ask, signListener, type SignListener, signPath } from '../support/sign-listener.ts'

/** Whatever comes in, an answer below 500 comes out, as the API document describes it. */

let listener: SignListener
beforeAll(async () => {
  listener = await signListener(house())
})

/** What was asked and answered where it should not have been; undefined otherwise. */
async function failure(path: string, ask: Ask): Promise<object | undefined> {
  const answer = await listener.ask(path, ask)
  statuses.add(answer.status)
  // A key without a version is the one honest 503 here.
  const isHonest = answer.status < 500 || answer.body['code'] === 'no_active_version'
  return isHonest ? undefined : { path, ask, answer }
}

const statuses = new Set<number>()

const key = fc.constantFrom(...Object.keys(houseKeys), 'nobody-has-this')
const name = fc.oneof(
  fc.constantFrom(
    'sub',
    'role',
    'iss',
    'exp',
    'iat',
    'claims',
    '__proto__',
    'constructor',
    'toString',
    '',
  ),
  fc.string({ unit: 'binary', maxLength: 70 }),
)
const scalar = fc.oneof(
  fc.constantFrom<unknown>('42', 'reader', null, true, 0, -0, 1e21, 2 ** 53, '', '\ud800'),
  fc.double(),
  fc.integer(),
  fc.string({ unit: 'binary' }),
)
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium', maxDepth: 10 },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4 }),
  ),
})).value

const b64 = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '').toString('base64url')
const header = fc.record(
  { alg: fc.constantFrom('ES256', 'RS256', 'none', 1), typ: scalar, kid: scalar, crit: json },
  { requiredKeys: [] },
)
const signingInput = fc.oneof(
  fc.tuple(header, json).map((parts) => parts.map(b64).join('.')),
  fc.string({ unit: 'binary' }),
)
const base64 = fc
  .uint8Array({ maxLength: 60 })
  .map((bytes) => Buffer.from(bytes).toString('base64'))
const digest = fc
  .uint8Array({ minLength: 31, maxLength: 33 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'))
const claims = fc.dictionary(name, json, { maxKeys: 5 })
const encoding = { encoding: fc.oneof(fc.constantFrom('hex', 'base64', 'base64url'), json) }
const form = fc.oneof(
  fc.record({ claims: fc.oneof(claims, fc.record({ sub: fc.string() }), json) }),
  fc.record(
    { signingInput: fc.oneof(signingInput, json), ...encoding },
    { requiredKeys: ['signingInput'] },
  ),
  fc.record(
    { message: fc.oneof(base64, fc.string(), json), ...encoding },
    { requiredKeys: ['message'] },
  ),
  fc.record(
    { digest: fc.oneof(base64, digest, fc.string(), json), ...encoding },
    { requiredKeys: ['digest'] },
  ),
  fc.record(
    { claims, signingInput, message: base64, digest: json, ...encoding },
    { requiredKeys: [] },
  ),
)

describe('no 5xx comes from input', () => {
  test('from any JSON body on any key', async () => {
    statuses.clear()
    await fc.assert(
      fc.asyncProperty(key, fc.oneof(form, json), async (on, body) => {
        expect(await failure(signPath(on), { body: body ?? null })).toBeUndefined()
      }),
      { numRuns: 2_000 },
    )
    expect([...statuses]).toEqual(expect.arrayContaining([200, 400, 403, 404, 429]))
  })

  test('from a good body with any change', async () => {
    const good = ['{"claims":{"sub":"42"}}', '{"message":"AAAA","encoding":"hex"}']
    const change = fc.tuple(fc.nat(40), fc.nat(3), fc.string({ unit: 'binary', maxLength: 3 }))
    await fc.assert(
      fc.asyncProperty(key, fc.constantFrom(...good), change, async (on, text, [at, cut, put]) => {
        const raw = text.slice(0, at) + put + text.slice(at + cut)
        expect(await failure(signPath(on), { raw })).toBeUndefined()
      }),
      { numRuns: 2_000 },
    )
  })

  test('from any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (raw) => {
        expect(await failure(signPath('reports'), { raw: Buffer.from(raw) })).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  })

  test('from any headers', async () => {
    const value = fc.string({
      unit: fc.constantFrom(...' \t!"%(),./:;=?@[]{}~azAZ09-_\u00e9'.split('')),
    })
    const names = [
      'X-Request-Id',
      'X-Request-Timeout',
      'Content-Type',
      'Accept',
      'Content-Length',
      'Expect',
      'Cookie',
      'Forwarded',
      'Prefer',
    ] as const
    const headers = fc.record(
      Object.fromEntries(
        names.map((sentName) => [sentName, fc.oneof(value, fc.nat().map(String))]),
      ),
      { requiredKeys: [] },
    )
    const credential = fc.option(
      fc.oneof(
        value,
        value.map((text) => `Bearer ${text}`),
      ),
      { nil: undefined },
    )
    await fc.assert(
      fc.asyncProperty(headers, credential, async (sent, authorization) => {
        const { 'X-Request-Timeout': timeout, ...others } = sent
        // A time that is short and well formed is an honest 504.
        const harmless = /^[1-9]\d*$/.test(timeout ?? 'x')
          ? {}
          : { 'X-Request-Timeout': timeout ?? '' }
        const own = authorization === undefined ? {} : { Authorization: authorization }
        const ask = { body: { claims: { sub: '42' } }, headers: { ...others, ...harmless, ...own } }
        expect(
          await failure(
            signPath('reports'),
            authorization === undefined ? ask : { ...ask, as: null },
          ),
        ).toBeUndefined()
      }),
      { numRuns: 1_000 },
    )
  })

  test('from any query', async () => {
    const part = fc.oneof(
      fc.constantFrom(
        'version',
        'format',
        'all',
        '1',
        'github',
        '&',
        '=',
        '%',
        '%00',
        '+',
        '__proto__',
      ),
      fc.webQueryParameters(),
    )
    await fc.assert(
      fc.asyncProperty(key, fc.array(part, { maxLength: 6 }), async (on, parts) => {
        expect(await failure(`/v1/keys/${on}/fingerprint?${parts.join('')}`, {})).toBeUndefined()
      }),
      { numRuns: 1_000 },
    )
  })
})

test('a caller that is not granted gets one answer to any well-formed body', async () => {
  const texts = new Set<string>()
  const body = fc.oneof(
    fc.record({
      claims: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.string({ maxLength: 20 })),
    }),
    fc.record({ message: base64 }),
    fc.record({ signingInput: fc.string() }),
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('hidden', 'nobody-has-this'), body, async (on, sent) => {
      const headers = { 'X-Request-Id': 'the-same' }
      texts.add((await listener.ask(signPath(on), { body: sent, headers })).text)
    }),
    { numRuns: 300 },
  )
  expect(texts.size).toBe(1)
})
