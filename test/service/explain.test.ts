import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { indexGrants } from '../../src/policy/decide.ts'
import { explain } from '../../src/service/explain.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import { ulidSource } from '../../src/lib/ulid.ts'
import { insertKeyFacts } from '../../src/store/keys.ts'
import { insertVersion } from '../../src/store/versions.ts'
import { grantOn, keyOf, profileSettings } from '../support/grant.ts'
import { goodClaims, house } from '../support/house.ts'
import { type Answer, signListener, signPath } from '../support/sign-listener.ts'
import { type Held, heldVersion } from '../support/signing-service.ts'
import { storeFile, storeOfThisTest } from '../support/store-file.ts'

const token = keyOf('token', {
  profile: profileSettings['api-key-token'],
  algorithm: algorithm('HS256'),
  source: 'imported',
})
const over = keyOf('over', { profile: profileSettings['generic-jwt'] })

/** The house, a key with two versions that sign, and one whose only version is revoked. */
function setting() {
  const { held, grants } = house()
  const tokens: readonly Held[] = [
    heldVersion(token, { n: 1, kid: 'first' }),
    heldVersion(token, { n: 2, kid: 'second' }),
    heldVersion(token, { n: 3, kid: 'third', state: 'retired' }),
    heldVersion(token, { n: 4, kid: 'fourth', state: 'revoked' }),
    heldVersion(over, { state: 'revoked' }),
  ]
  const more = [
    grantOn(token, {
      name: 'grants[8]',
      operations: ['sign-claims', 'sign-input'],
      noExpiry: true,
    }),
    grantOn(over, { name: 'grants[9]', operations: ['sign-claims'], lifetimeSecondsMax: 60 }),
  ]
  return { held: [...held, ...tokens], grants: [...grants, ...more] }
}

/** One question, put to the route and to `explain`. */
type Question = { readonly as?: string; readonly key: string; readonly body: object }

async function bothWays() {
  const both = setting()
  const listener = await signListener(both)
  const store = await storeOfThisTest(await storeFile())
  // A store has each key pair once; which one it is makes no difference here.
  await store.writeTransaction(async (transaction) => {
    for (const { key } of both.grants) await insertKeyFacts(transaction, key, 0)
    for (const { version } of both.held) {
      const spki = version.spki && new Uint8Array(randomBytes(91))
      await insertVersion(transaction.connection, { ...version, spki })
    }
  })
  const grants = indexGrants(both.grants)
  const deps = { store, grants, clock: listener.clock, newId: ulidSource() }
  return {
    ...listener,
    route: async ({ as = 'blog-backend', key, body }: Question) =>
      told(await listener.ask(signPath(key), { body, as })),
    explanation: async ({ as = 'blog-backend', key, body }: Question) => {
      const caller = { name: as, attributes: { name: as } }
      return explained(explain(deps, { caller, key, body }))
    },
  }
}

/** What an answer says of the decision: no times and no ids, which differ from one to the next. */
function told({ body }: Answer): object {
  const { code, detail, rule, claim, activeKid, jwt, key, version, expiresAt } = body
  if (code !== undefined) return { code, detail, rule, claim, activeKid }
  // A message has no JWT, and never expires.
  const [header = '', payload = ''] = typeof jwt === 'string' ? jwt.split('.').map(decoded) : []
  const expires = typeof expiresAt === 'string' ? Date.parse(expiresAt) : undefined
  return { version: `${String(key)}@${String(version)}`, expires, ...texts(header, payload) }
}

function decoded(segment: string): string {
  return Buffer.from(segment, 'base64url').toString('utf8')
}

async function explained(asked: ReturnType<typeof explain>): Promise<object> {
  try {
    const { answer } = await asked
    if (answer.verdict === 'refuse') throw answer.error
    const { version, header, payload, expiresAt: expires } = answer
    return { version, expires, ...texts(header, payload) }
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    const { code, message: detail, details } = error
    const { rule, claim, activeKid } = details
    return { code, detail, rule, claim, activeKid }
  }
}

function texts(header: string, payload: string): object {
  const signed = payload.replace(/"jti":"[^"]+"/, '"jti":"…"')
  return { header, payload: signed }
}

const segment = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const input = (header: object, claims: object) => ({
  signingInput: `${segment(header)}.${segment(claims)}`,
})
const seconds = 1_800_000_000
const times = { iat: seconds, exp: seconds + 60 }
const own = { iss: 'https://acme.example', jti: 'one', ...times }
const es256 = { alg: 'ES256', typ: 'JWT' }
const hs256 = { alg: 'HS256', typ: 'JWT' }

/** Every way a request can go, and the code that the route answers. */
const questions: readonly (readonly [string, string | undefined, Question])[] = [
  ['claims', undefined, { key: 'reports', body: goodClaims }],
  [
    'optional claims',
    undefined,
    { key: 'reports', body: { claims: { sub: '1', role: 'reader' } } },
  ],
  ['a signing input', undefined, { key: 'reports', body: input(es256, { ...own, sub: '1' }) }],
  ['a caller’s own iat', undefined, { key: 'bot', body: { claims: { iat: seconds - 30 } } }],
  ['a token', undefined, { key: 'token', body: { claims: { fingerprint: 'a' } } }],
  [
    'another version’s',
    undefined,
    { key: 'token', body: input(hs256, { key_id: 'first', fingerprint: 'a' }) },
  ],
  ['a limit', undefined, { key: 'limited', body: goodClaims }],
  ['a message', undefined, { key: 'documents', body: { message: '' } }],
  ['a digest', undefined, { key: 'documents', body: { digest: 'A'.repeat(43) } }],
  ['a digest too short', 'malformed_request', { key: 'documents', body: { digest: 'AAAA' } }],
  ['a digest for a MAC', 'operation_not_granted', { key: 'mac', body: { digest: '' } }],
  ['no grant', 'key_not_found', { key: 'hidden', body: goodClaims }],
  ['no key', 'key_not_found', { key: 'nobody-has-this', body: goodClaims }],
  ['a stranger', 'key_not_found', { as: 'stranger', key: 'reports', body: goodClaims }],
  ['another operation', 'operation_not_granted', { key: 'readable', body: goodClaims }],
  ['another purpose', 'wrong_purpose', { key: 'documents', body: goodClaims }],
  ['no version', 'no_active_version', { key: 'empty', body: goodClaims }],
  ['a revoked version', 'no_active_version', { key: 'over', body: { claims: {} } }],
  ['a rule', 'claims_refused', { key: 'reports', body: { claims: { sub: '123456789' } } }],
  ['a claim that is missing', 'claims_refused', { key: 'reports', body: { claims: {} } }],
  [
    'one that no rule lists',
    'claims_refused',
    { key: 'reports', body: { claims: { sub: '1', a: 1 } } },
  ],
  [
    'one that we set',
    'claim_not_allowed',
    { key: 'reports', body: { claims: { sub: '1', exp: 1 } } },
  ],
  ['an iat too far', 'claims_refused', { key: 'bot', body: { claims: { iat: 1 } } }],
  [
    'too long a life',
    'claims_refused',
    { key: 'reports', body: input(es256, { ...own, exp: seconds + 901, sub: '1' }) },
  ],
  ['another alg', 'malformed_signing_input', { key: 'reports', body: input({ alg: 'none' }, own) }],
  [
    'another kid',
    'version_not_active',
    { key: 'reports', body: input({ ...es256, kid: 'a' }, { ...own, sub: '1' }) },
  ],
  [
    'a retired version’s',
    'version_not_active',
    { key: 'token', body: input(hs256, { key_id: 'third', fingerprint: 'a' }) },
  ],
  [
    'a revoked one’s',
    'version_revoked',
    { key: 'token', body: input(hs256, { key_id: 'fourth', fingerprint: 'a' }) },
  ],
  [
    'no version’s',
    'claims_refused',
    { key: 'token', body: input(hs256, { key_id: 'a', fingerprint: 'a' }) },
  ],
  [
    'a body of two forms',
    'malformed_request',
    { key: 'reports', body: { ...goodClaims, message: '' } },
  ],
  ['claims that are none', 'malformed_request', { key: 'reports', body: { claims: [] } }],
  [
    'a body too large',
    'request_too_large',
    {
      key: 'reports',
      body: {
        claims: Object.fromEntries(
          Array.from({ length: 40 }, (_, i) => [`c${i}`, 'a'.repeat(2_000)]),
        ),
      },
    },
  ],
]

test.each(questions)('%s: explain says what the route answers', async (_, code, question) => {
  const { route, explanation } = await bothWays()
  const answer = await route(question)
  expect(Reflect.get(answer, 'code')).toBe(code)
  expect(await explanation(question)).toEqual(answer)
})

/** A limit is no part of the explanation, and the route has reached it after the first. */
const unlimited = questions.map(([, , one]) => one).filter((one) => one.key !== 'limited')

test('and so it does for whatever is asked', async () => {
  const { route, explanation } = await bothWays()
  const scalar = fc.constantFrom<unknown>('42', 'reader', 'writer', 'a', 1, true, null, seconds, '')
  const name = fc.constantFrom(
    'sub',
    'role',
    'iss',
    'iat',
    'exp',
    'jti',
    'fingerprint',
    'key_id',
    'x',
  )
  const claims = fc.dictionary(name, scalar, { maxKeys: 4 })
  const header = fc.constantFrom(
    es256,
    hs256,
    { alg: 'RS256', typ: 'JWT' },
    { alg: 'ES256', kid: 'a' },
  )
  const body = fc.oneof(
    fc.record({ claims }),
    fc
      .tuple(header, claims, fc.constantFrom({}, own, times))
      .map(([head, some, base]) => input(head, { ...base, ...some })),
    fc.constantFrom<object>({}, { message: '' }, { claims: 1 }, { signingInput: 'a.b' }),
  )
  const key = fc.constantFrom(
    'reports',
    'bot',
    'documents',
    'readable',
    'empty',
    'hidden',
    'token',
    'over',
    'none',
  )
  const as = fc.constantFrom('blog-backend', 'blog-backend', 'other-app', 'stranger')
  // By chance alone few are allowed: the known ones are asked, too, by whomever.
  const known = fc.constantFrom(...unlimited)
  const question = fc.oneof(
    fc.record({ as, key, body }),
    fc.tuple(as, known).map(([caller, asked]) => ({ ...asked, as: caller })),
  )
  const codes = new Set<unknown>()
  await fc.assert(
    fc.asyncProperty(question, async (asked) => {
      const answer = await route(asked)
      codes.add(Reflect.get(answer, 'code'))
      expect(await explanation(asked)).toEqual(answer)
    }),
    { numRuns: 400 },
  )
  // Both kinds of answers were among them, and most kinds of refusals.
  expect(codes.has(undefined)).toBe(true)
  expect(codes.size).toBeGreaterThan(6)
})

test('neither a vault nor the audit nor a limit hears of it', async () => {
  const { explanation, route, state, audit } = await bothWays()
  const opened = state.opened.length
  for (let i = 0; i < 5; i += 1) await explanation({ key: 'limited', body: goodClaims })
  await explanation({ key: 'limited', body: { claims: {} } })
  expect([state.opened.length, audit.events]).toEqual([opened, []])
  // One a second: it is still there.
  expect(await route({ key: 'limited', body: goodClaims })).toHaveProperty('version')
})
