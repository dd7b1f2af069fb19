import { describe, expect, test } from 'vitest'
import { apiKeyAuthenticator } from '../../src/auth/api-key.ts'
import { authenticator } from '../../src/auth/caller.ts'
import { certificateAuthenticator } from '../../src/auth/client-certificate.ts'
import type { OidcCaller } from '../../src/auth/oidc.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import { grantOn, keyOf, profileSettings } from '../support/grant.ts'
import { house } from '../support/house.ts'
import { memoryKey } from '../support/memory-key.ts'
import { oidcCaller, oidcCallers } from '../support/oidc-callers.ts'
import { signListener, signPath } from '../support/sign-listener.ts'
import { heldVersion } from '../support/signing-service.ts'
import { tokenOf } from '../support/token.ts'

const key = memoryKey('ES256')
const report = keyOf('report', {
  profile: profileSettings['generic-jwt'],
  algorithm: algorithm('ES256'),
})
const repo = {
  claim: 'repo',
  optional: false,
  check: { kind: 'fromCaller', attribute: 'repository_id' },
} as const

/** A listener whose callers have tokens; `report` signs for the repository of the token only. */
async function listening(callers: readonly OidcCaller[] = [oidcCaller()]) {
  const oidc = oidcCallers(callers, { one: key })
  const { held, grants } = house()
  const grant = grantOn(report, {
    name: 'grants[9]',
    operations: ['sign-claims'],
    lifetimeSecondsMax: 900,
    claims: [repo],
  })
  const ways = {
    apiKey: apiKeyAuthenticator([]),
    oidc: oidc.authenticator,
    certificate: certificateAuthenticator([], oidc.clock),
  }
  const setting = { held: [...held, heldVersion(report)], grants: [...grants, grant] }
  const listener = await signListener(setting, { authenticator: authenticator(ways) })
  const sign = (token: string, repository = '1234') =>
    listener.ask(signPath('report'), {
      as: null,
      headers: { Authorization: `Bearer ${token}` },
      body: { claims: { repo: repository } },
    })
  const lines = () =>
    listener.lines.map((line): Readonly<Record<string, unknown>> => JSON.parse(line))
  return { ...oidc, ...listener, sign, logged: lines }
}

describe('a token', () => {
  test('signs what its own claims allow', async () => {
    const { sign, claims } = await listening()
    const token = await tokenOf(key, claims())
    expect((await sign(token)).status).toBe(200)
    expect(await sign(token, '1235')).toMatchObject({
      status: 403,
      body: { code: 'claims_refused', rule: 'repo.fromCaller' },
    })
  })

  test('that two callers match is 401 like any other, and the log says why', async () => {
    const twin = oidcCaller({ name: 'twin', match: { env: 'prod' } })
    const { sign, claims, logged, observations } = await listening([oidcCaller(), twin])
    const answer = await sign(await tokenOf(key, claims({ env: 'prod' })))
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    expect(answer.text).not.toMatch(/two|twin|match/)
    expect(logged()).toMatchObject([{ code: 'unauthenticated', refusal: 'two_callers_match' }])
    expect(observations).toMatchObject([{ status: 401, refusal: 'two_callers_match' }])
  })

  test('is refused in the same words, whatever is wrong with it', async () => {
    const { sign, claims, logged } = await listening()
    const tokens = await Promise.all([
      tokenOf(key, claims({ iss: 'https://other.example' })),
      tokenOf(key, claims({ aud: 'other' })),
      tokenOf(key, claims({ exp: 1 })),
      tokenOf(memoryKey('ES256', 'other'), claims()),
      tokenOf(key, claims(), { kid: 'two' }),
    ])
    const answers = await Promise.all([...tokens, 'a.b.c'].map((token) => sign(token)))
    const words = answers.map(({ status, body: { requestId: _, ...problem } }) => [status, problem])
    expect(new Set(words.map((said) => JSON.stringify(said))).size).toBe(1)
    expect(words[0]?.[0]).toBe(401)
    expect(new Set(logged().map(({ refusal }) => refusal)).size).toBe(6)
    for (const line of logged()) expect(line).not.toHaveProperty('caller')
  })

  test('whose issuer is away is 503, with when to come back, and is nobody’s fault', async () => {
    const { sign, claims, issuer, logged } = await listening()
    issuer.isAway = true
    const answer = await sign(await tokenOf(key, claims()))
    expect(answer).toMatchObject({ status: 503, body: { code: 'issuer_unavailable' } })
    expect(answer.headers.get('retry-after')).toBe('5')
    expect(answer.text).not.toContain('issuer.example')
    expect(logged().at(-1)).toMatchObject({ code: 'issuer_unavailable', status: 503 })
    expect(logged().at(-1)).not.toHaveProperty('refusal')
  })

  test('says nothing to the log', async () => {
    const { sign, claims, lines } = await listening()
    const tokens = [
      await tokenOf(key, claims({ sub: 'canary' })),
      await tokenOf(key, claims({ aud: 'canary' })),
    ]
    for (const token of tokens) await sign(token)
    const said = lines.join('\n')
    for (const part of tokens.flatMap((token) => token.split('.'))) expect(said).not.toContain(part)
    expect(said).not.toContain('canary')
  })
})
