import { describe, expect, test } from 'vitest'
import { type ProblemCode, problemCodes, ServiceError } from '../../src/errors.ts'
import { refusing } from '../support/audit-log.ts'
import { goodClaims, house } from '../support/house.ts'
import { memoryKey } from '../support/memory-key.ts'
import {
  type Answer,
  type Ask,
  signListener,
  type SignListener,
  signPath,
} from '../support/sign-listener.ts'
import { failing } from '../support/watched-signer.ts'

/** How a request comes to a problem, and what the answer says beside its code. */
type Case = {
  readonly status: number
  readonly path?: string
  readonly ask?: Ask
  readonly before?: (listener: SignListener, vault: ReturnType<typeof house>['vault']) => unknown
  /** Members that only this problem has. */
  readonly members?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

const vaultFails = (code: ProblemCode): Case => ({
  status: 503,
  before: (_, vault) =>
    vault.answer(
      failing(new ServiceError(code, 'The vault said no', { cause: new Error('canary arn:aws') })),
    ),
})
const auditSays = (code: ProblemCode) => (listener: SignListener) =>
  listener.audit.answerIntents(refusing(code))
const segment = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const message = (text: string) => ({ message: Buffer.from(text).toString('base64url') })
const jws = `${segment({ alg: 'ES256', typ: 'JWT' })}.${segment({ iss: 'https://acme.example' })}`
const oldKid = `${segment({ alg: 'ES256', kid: 'an-old-kid' })}.${segment({})}`

/** CONTRACT §1.4, one line for each code. */
const cases: Partial<Record<ProblemCode, Case>> = {
  malformed_request: {
    status: 400,
    ask: { body: {} },
    members: {
      issues: [
        {
          path: '',
          message: 'send an object with exactly one of claims, signingInput, message, digest',
        },
      ],
    },
  },
  wrong_purpose: { status: 400, ask: { body: message('a') } },
  malformed_signing_input: { status: 400, ask: { body: { signingInput: 'a' } } },
  claim_not_allowed: {
    status: 400,
    ask: { body: { claims: { sub: '42', exp: 1 } } },
    members: { claim: 'exp' },
  },
  looks_like_jwt: { status: 400, path: signPath('documents'), ask: { body: message(jws) } },
  unauthenticated: {
    status: 401,
    ask: { body: goodClaims, as: null },
    headers: { 'www-authenticate': 'Bearer' },
  },
  operation_not_granted: { status: 403, path: signPath('readable') },
  claims_refused: {
    status: 403,
    ask: { body: { claims: { sub: 'longer than eight' } } },
    members: { rule: 'sub.text' },
  },
  suspended: { status: 403, before: auditSays('suspended') },
  version_revoked: { status: 403, before: auditSays('version_revoked') },
  key_not_found: { status: 404, path: signPath('hidden') },
  no_public_key: { status: 404, path: '/v1/keys/mac/fingerprint?format=github', ask: {} },
  not_found: { status: 404, path: '/v1/keys' },
  method_not_allowed: { status: 405, ask: { method: 'GET' }, headers: { allow: 'POST' } },
  request_too_large: { status: 413, ask: { raw: ' '.repeat(65_537) } },
  message_too_large: {
    status: 413,
    path: signPath('documents'),
    ask: { body: message('a'.repeat(8_193)) },
  },
  unsupported_media_type: {
    status: 415,
    ask: { body: goodClaims, headers: { 'Content-Type': 'text/json' } },
  },
  version_not_active: {
    status: 409,
    ask: { body: { signingInput: oldKid } },
    members: { activeKid: expect.stringMatching(/^[\w-]{43}$/) },
  },
  rate_limited: {
    status: 429,
    path: signPath('limited'),
    before: ({ ask }) => ask(signPath('limited'), { body: goodClaims }),
    headers: { 'retry-after': '2' },
  },
  internal_error: {
    status: 500,
    before: (_, vault) => vault.answer(failing(new Error('canary bug'))),
  },
  signature_invalid: {
    status: 502,
    before: (_, vault) =>
      vault.answer((signature) => {
        const other = memoryKey('ES256', 'other')
        return other.signer.sign(
          { message: signature, digest: undefined },
          other.algorithm,
          new AbortController().signal,
        )
      }),
  },
  vault_unavailable: vaultFails('vault_unavailable'),
  vault_throttled: vaultFails('vault_throttled'),
  vault_denied: vaultFails('vault_denied'),
  vault_key_unusable: vaultFails('vault_key_unusable'),
  audit_unavailable: { status: 503, before: auditSays('audit_unavailable') },
  no_active_version: { status: 503, path: signPath('empty') },
  overloaded: { status: 503, before: auditSays('overloaded') },
  draining: { status: 503, before: ({ close }) => close(), headers: { 'retry-after': '1' } },
  deadline_exceeded: {
    status: 504,
    ask: { body: goodClaims, headers: { 'X-Request-Timeout': '1' } },
    before: (_, vault) => vault.answer(() => new Promise(() => {})),
  },
}

/** Nothing of this part of the project can meet them inside the application. */
const elsewhere: Partial<Record<ProblemCode, string>> = {
  two_credentials: 'server.test.ts: two Authorization headers end before the application',
  issuer_unavailable: 'auth/issuer-keys.test.ts and auth/real-issuer.test.ts',
}

test('every code of an answer is provoked here, or it is said where', () => {
  const covered = [...Object.keys(cases), ...Object.keys(elsewhere)]
  expect(covered.toSorted()).toEqual(problemCodes.toSorted())
})

describe.each(Object.entries(cases))(
  '%s',
  (code, { status, members = {}, headers = {}, ...how }) => {
    async function provoked(): Promise<{
      readonly answer: Answer
      readonly listener: SignListener
    }> {
      const { vault, ...setting } = house()
      const listener = await signListener(setting)
      await how.before?.(listener, vault)
      const answer = await listener.ask(
        how.path ?? signPath('reports'),
        how.ask ?? { body: goodClaims },
      )
      return { answer, listener }
    }

    test(`is ${status}, with exactly the members that its problem has`, async () => {
      const { answer } = await provoked()
      expect(answer.status).toBe(status)
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(answer.body).toEqual({
        type: `urn:chancery:problem:${code}`,
        title: expect.stringMatching(/^[A-Z]/),
        status,
        detail: expect.stringMatching(/^\S/),
        code,
        requestId: answer.headers.get('x-request-id'),
        ...members,
      })
    })

    test('has the headers that help, and no others', async () => {
      const { answer } = await provoked()
      const sent = Object.fromEntries(answer.headers)
      expect(sent).toEqual({
        'cache-control': 'no-store',
        'content-type': 'application/problem+json',
        'x-request-id': expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/),
        ...headers,
        ...(code === 'unauthenticated' || code === 'request_too_large'
          ? { connection: 'close' }
          : {}),
      })
    })

    test('releases nothing', async () => {
      const { answer, listener } = await provoked()
      expect(answer.body).not.toHaveProperty('signature')
      expect(answer.body).not.toHaveProperty('jwt')
      const released = listener.audit.events.filter((event) => event === 'outcome released')
      expect(released).toHaveLength(code === 'rate_limited' ? 1 : 0)
    })
  },
)
