import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ServiceError } from '../../src/errors.ts'
import { refusing } from '../support/audit-log.ts'
import { goodClaims, house } from '../support/house.ts'
import {
  type Answer,
  type Ask,
  signListener,
  type SignListener,
  signPath,
} from '../support/sign-listener.ts'
import { failing, type WatchedSigner } from '../support/watched-signer.ts'

/** What a caller sends in the place of a value; no answer and no log line may show it again. */
const secret = 'hunter2'

let listener: SignListener
let vault: WatchedSigner
beforeEach(async () => {
  const { vault: watched, ...setting } = house()
  vault = watched
  listener = await signListener(setting)
})

const send = (body: unknown, ask: Ask = {}, key = 'reports'): Promise<Answer> =>
  listener.ask(signPath(key), { body, ...ask })

/** Where it can be read again. */
function placesOf({ text, headers }: Answer): readonly string[] {
  const { lines, audit } = listener
  const records = JSON.stringify([audit.intents, audit.outcomes, audit.denials])
  const places = { text, headers: JSON.stringify([...headers]), log: lines.join(''), records }
  return Object.entries(places).flatMap(([place, held]) => (held.includes(secret) ? [place] : []))
}

describe('a value that was sent is not shown again', () => {
  const segment = (text: string) => Buffer.from(text).toString('base64url')

  test.each<[string, unknown, string?]>([
    ['as a claim too long', { claims: { sub: `${secret} and more` } }],
    ['as a claim that no list has', { claims: { sub: '42', role: secret } }],
    ['as a claim of no rule', { claims: { sub: '42', other: secret } }],
    ['as a claim that we set', { claims: { sub: '42', iss: secret } }],
    ['as claims', { claims: secret }],
    ['as an unknown member', { claims: {}, [secret]: 1 }],
    ['as a form', { [secret]: {} }],
    ['as a body', secret],
    ['as an encoding', { message: '', encoding: secret }],
    ['as a message', { message: `${secret}!` }, 'documents'],
    ['as a signing input', { signingInput: secret }],
    ['in a header', { signingInput: `${segment(`{"alg":"${secret}"}`)}.e30` }],
    ['as a header’s member', { signingInput: `${segment(`{"alg":"ES256","${secret}":1}`)}.e30` }],
    ['as a kid', { signingInput: `${segment(`{"alg":"ES256","kid":"${secret}"}`)}.e30` }],
    ['as a payload', { signingInput: `${segment('{"alg":"ES256"}')}.${segment(secret)}` }],
    [
      'as an issuer',
      { signingInput: `${segment('{"alg":"ES256"}')}.${segment(`{"iss":"${secret}"}`)}` },
    ],
    ['as a long name of a claim', { claims: { [secret.repeat(10)]: 1 } }],
  ])('%s', async (_, body, key) => {
    const answer = await send(body, {}, key)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.status).toBeLessThan(500)
    expect(placesOf(answer)).toEqual([])
  })

  test.each([
    ['text that is no JSON', { raw: `{"${secret}` }],
    ['a duplicate name', { raw: `{"${secret}":1,"${secret}":2}` }],
    ['a media type', { headers: { 'Content-Type': `application/${secret}` } }],
    ['a timeout', { headers: { 'X-Request-Timeout': secret } }],
    ['a credential', { as: null, headers: { Authorization: `Bearer chn_${secret}` } }],
    ['another header', { headers: { Cookie: secret, 'X-Forwarded-For': secret } }],
  ])('as %s', async (_, ask) => {
    expect(placesOf(await send(goodClaims, ask))).toEqual([])
  })

  test('as a path that is none, though a router would decode it', async () => {
    const answer = await listener.ask('/v1/keys/%68unter2/sign', { body: goodClaims })
    expect(answer.body['code']).toBe('not_found')
    expect(placesOf(answer)).toEqual([])
  })

  test('as a query', async () => {
    for (const query of [`?version=${secret}`, `?format=${secret}`, `?${secret}=1`]) {
      expect(placesOf(await listener.ask(`/v1/keys/reports/fingerprint${query}`))).toEqual([])
    }
  })

  test('nor is a good one, outside the JWT', async () => {
    const answer = await send({ claims: { sub: secret } })
    expect(answer.status).toBe(200)
    expect(placesOf(answer)).toEqual([])
  })
})

describe('what went wrong inside stays inside', () => {
  const vendor = new Error(
    'canary: AccessDenied arn:aws:kms:eu-central-1:1234:key/abcd on 10.0.0.7',
  )

  test.each([
    ['a vault’s own error', () => vault.answer(failing(vendor))],
    ['an error with a cause', () => vault.answer(failing(new Error('canary', { cause: vendor })))],
    ['a thrown string', () => vault.answer(failing('canary string'))],
    ['nothing thrown', () => vault.answer(failing(undefined))],
    [
      'a command’s code',
      () => vault.answer(failing(new ServiceError('store_unavailable', 'canary file'))),
    ],
    [
      'a command’s code with details',
      () =>
        vault.answer(
          failing(
            new ServiceError('config_invalid', 'canary', {
              details: { rule: 'canary', retryAfterMs: 9 },
            }),
          ),
        ),
    ],
  ])('%s is an internal error, and no more', async (_, arrange) => {
    arrange()
    const answer = await send(goodClaims)
    expect(answer.body).toEqual({
      type: 'urn:chancery:problem:internal_error',
      title: 'Something went wrong',
      status: 500,
      detail: expect.stringMatching(/^Something went wrong(?: in the service)?$/),
      code: 'internal_error',
      requestId: answer.headers.get('x-request-id'),
    })
    expect(answer.headers.has('retry-after')).toBe(false)
  })

  test('a mapped vault error shows its words and not its cause', async () => {
    vault.answer(
      failing(new ServiceError('vault_denied', 'The vault denied it', { cause: vendor })),
    )
    const answer = await send(goodClaims)
    expect(answer.body).toMatchObject({ code: 'vault_denied', detail: 'The vault denied it' })
    expect(listener.lines.join('')).toContain('canary: AccessDenied arn:aws')
  })

  test('the cause of a failed audit is for the log', async () => {
    listener.audit.answerIntents(refusing('audit_unavailable'))
    const answer = await send(goodClaims)
    expect(answer.status).toBe(503)
    expect(listener.lines.join('')).toContain('/var/canary/chancery.db')
  })
})

describe('the log', () => {
  const lines = () =>
    listener.lines.map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)))

  test('has one line for each request, with ids, names, code, status and time', async () => {
    const answer = await send(goodClaims, { headers: { 'X-Request-Id': 'theirs' } })
    expect(answer.status).toBe(200)
    expect(lines()).toEqual([
      {
        level: 'info',
        at: expect.any(String),
        event: 'request',
        request: listener.audit.intents[0]?.request,
        callerRequest: 'theirs',
        caller: 'blog-backend',
        route: 'sign',
        key: 'reports',
        version: 1,
        code: 'ok',
        status: 200,
        ms: 0,
      },
    ])
  })

  test('names no caller where none was proved', async () => {
    await send(goodClaims, { as: null })
    expect(lines()).toEqual([expect.objectContaining({ code: 'unauthenticated', status: 401 })])
    expect(lines()[0]).not.toHaveProperty('caller')
  })

  test('holds neither claims nor signatures nor credentials', async () => {
    const answer = await send({ claims: { sub: secret } })
    const text = listener.lines.join('')
    expect(text).not.toContain(secret)
    expect(text).not.toContain(String(answer.body['jwt']).split('.').at(-1))
    expect(text).not.toContain('chn_')
  })
})
