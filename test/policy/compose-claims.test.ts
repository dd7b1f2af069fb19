import { describe, expect, test } from 'vitest'
import type { ClaimRule } from '../../src/policy/claim-rules.ts'
import { composeClaims } from '../../src/policy/jwt.ts'
import { jwtContext, expiringProfileNames } from '../support/grant.ts'

const now = 1_800_000_000
const refused = (rule: string) => ({ verdict: 'refuse', code: 'claims_refused', rule })
const notAllowed = (claim: string) => ({ verdict: 'refuse', code: 'claim_not_allowed', claim })

describe('what the service makes of no claims at all', () => {
  test.each([
    ['github-app', { iss: 'Iv23li', iat: now - 60, exp: now + 540 }],
    ['icr-app', { iss: 'icr-42', iat: now - 60, exp: now + 540 }],
    ['contentful-app', { iss: '4XyZ', iat: now, exp: now + 600 }],
    [
      'client-assertion',
      {
        iss: 'client-1',
        sub: 'client-1',
        aud: 'https://as',
        jti: 'a-jti',
        iat: now,
        exp: now + 300,
      },
    ],
    ['generic-jwt', { iss: 'https://acme.example', jti: 'a-jti', iat: now, exp: now + 900 }],
  ] as const)('%s', (profile, claims) => {
    const decision = composeClaims({}, jwtContext({ profile }), 'a-jti')
    expect(decision).toEqual({ verdict: 'allow', claims, expiresAt: claims.exp * 1_000 })
  })
})

describe('lifetimes', () => {
  test.each([
    ['github-app', 300, 300],
    ['github-app', 600, 600],
    ['github-app', 3_600, 600],
    ['client-assertion', 60, 60],
    ['client-assertion', 301, 300],
    ['generic-jwt', 86_400, 86_400],
  ] as const)('%s with a grant of %i s lives %i s', (profile, lifetimeSecondsMax, lives) => {
    const decision = composeClaims({}, jwtContext({ profile, lifetimeSecondsMax }), 'a-jti')
    const { iat, exp } = decision.verdict === 'allow' ? decision.claims : {}
    expect(Number(exp) - Number(iat)).toBe(lives)
  })
})

describe('claims that the service sets', () => {
  const reserved = expiringProfileNames.flatMap((profile) =>
    jwtContext({ profile }).profile.reserved.map((claim) => ({ profile, claim })),
  )
  const others = reserved.filter(
    ({ profile, claim }) => claim !== 'iat' || !['github-app', 'icr-app'].includes(profile),
  )

  test.each(others)('$profile refuses a caller’s own $claim', ({ profile, claim }) => {
    const context = jwtContext({ profile })
    const own = composeClaims({}, context, 'a-jti')
    const same = own.verdict === 'allow' ? own.claims[claim] : undefined
    for (const value of [same ?? null, 'x', null, 0]) {
      expect(composeClaims({ [claim]: value }, context, 'a-jti')).toEqual(notAllowed(claim))
    }
  })

  test('the refusal comes before any claim rule is looked at', () => {
    const context = jwtContext({ profile: 'generic-jwt' })
    expect(composeClaims({ unlisted: 1, exp: 1 }, context, 'a-jti')).toEqual(notAllowed('exp'))
  })

  test('no rule of a grant can let one through', () => {
    const claims: readonly ClaimRule[] = [
      { claim: 'exp', optional: true, check: { kind: 'const', value: 1 } },
    ]
    const context = jwtContext({ profile: 'generic-jwt', claims })
    expect(composeClaims({ exp: 1 }, context, 'a-jti')).toEqual(notAllowed('exp'))
  })
})

describe.each(['github-app', 'icr-app'] as const)('a caller’s own iat on %s', (profile) => {
  const context = jwtContext({ profile })

  test.each([-65, -60, 0, 64, 65])('is taken %i s from our clock', (skew) => {
    expect(composeClaims({ iat: now + skew }, context, 'a-jti')).toMatchObject({
      verdict: 'allow',
      claims: { iat: now + skew, exp: now + skew + 600 },
    })
  })

  test.each([
    -3_600,
    -66,
    66,
    3_600,
    now * 999, // milliseconds by mistake
  ])('is refused %i s from our clock', (skew) => {
    expect(composeClaims({ iat: now + skew }, context, 'a-jti')).toEqual(refused('iat.skew'))
  })

  test.each([null, '1800000000', true, [now], {}])('is refused as %j', (iat) => {
    expect(composeClaims({ iat }, context, 'a-jti')).toEqual(refused('iat.skew'))
  })
})

describe('claims that the caller may add', () => {
  const closed = expiringProfileNames.filter((profile) => profile !== 'generic-jwt')

  test.each(closed)('%s takes none', (profile) => {
    const context = jwtContext({ profile })
    expect(composeClaims({ note: 1 }, context, 'a-jti')).toEqual(refused('note.unlisted'))
    expect(composeClaims({ nbf: now }, context, 'a-jti')).toEqual(refused('nbf.unlisted'))
  })

  test('generic-jwt takes what the grant lists, beside its own', () => {
    const claims: readonly ClaimRule[] = [
      { claim: 'sub', optional: false, check: { kind: 'prefix', prefix: 'tenant:' } },
      { claim: 'aud', optional: true, check: { kind: 'const', value: 'https://reports' } },
    ]
    const context = jwtContext({ profile: 'generic-jwt', claims })
    expect(composeClaims({ sub: 'tenant:42' }, context, 'a-jti')).toMatchObject({
      verdict: 'allow',
      claims: { iss: 'https://acme.example', jti: 'a-jti', sub: 'tenant:42' },
    })
    expect(composeClaims({}, context, 'a-jti')).toEqual(refused('sub.required'))
    expect(composeClaims({ sub: 'tenant:42', aud: 'x' }, context, 'a-jti')).toEqual(
      refused('aud.const'),
    )
  })
})

test('a fraction of a second of our clock is cut off, never rounded into the future', () => {
  const context = jwtContext({ profile: 'contentful-app', nowMs: 1_799_999_999_999 })
  expect(composeClaims({}, context, 'a-jti')).toMatchObject({ claims: { iat: 1_799_999_999 } })
})
