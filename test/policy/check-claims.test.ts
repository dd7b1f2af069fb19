import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProfileName } from '../../src/keys/key.ts'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import type { ClaimRule } from '../../src/policy/claim-rules.ts'
import { checkClaims, composeClaims, type JwtContext } from '../../src/policy/jwt.ts'
import { jwtContext, expiringProfileNames } from '../support/grant.ts'

const now = 1_800_000_000
const refused = (rule: string) => ({ verdict: 'refuse', code: 'claims_refused', rule })

/** The claim set that the service itself would make. */
function composed(context: JwtContext, claims: JsonObject = {}): JsonObject {
  const decision = composeClaims(claims, context, 'a-jti')
  if (decision.verdict !== 'allow') throw new TypeError(`not composed: ${decision.code}`)
  return decision.claims
}

function without(claims: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(claims).filter(([claim]) => claim !== name))
}

describe.each(expiringProfileNames)('%s', (profile) => {
  const context = jwtContext({ profile })
  const good = composed(context)
  const lives = Number(good['exp']) - Number(good['iat'])
  const fixed = Object.keys(context.profile.fixed)

  test('a claim set that the service could have made is allowed, and told unchanged', () => {
    const expiresAt = Number(good['exp']) * 1_000
    expect(checkClaims(good, context)).toEqual({ verdict: 'allow', claims: good, expiresAt })
  })

  test.each(Object.keys(good))('%s is required', (claim) => {
    expect(checkClaims(without(good, claim), context)).toEqual(refused(`${claim}.required`))
  })

  test.each(fixed)('%s is this key’s own, in value and type', (claim) => {
    const own = context.profile.fixed[claim] ?? ''
    const others: readonly Json[] = ['', `${own} `, own.slice(1), own.toUpperCase(), [own], null, 0]
    for (const value of others) {
      expect(checkClaims({ ...good, [claim]: value }, context)).toEqual(refused(`${claim}.const`))
    }
  })

  test.each([-65, -1, 0, 65])('iat may be %i s from our clock', (skew) => {
    const claims = { ...good, iat: now + skew, exp: now + skew + lives }
    expect(checkClaims(claims, context)).toMatchObject({ verdict: 'allow' })
  })

  test.each([-66, 66, now * 999])('iat may not be %i s from our clock', (skew) => {
    const claims = { ...good, iat: now + skew, exp: now + skew + lives }
    expect(checkClaims(claims, context)).toEqual(refused('iat.skew'))
  })

  test.each([null, '1800000000', [now], {}, true])('iat may not be %j', (iat) => {
    expect(checkClaims({ ...good, iat }, context)).toEqual(refused('iat.skew'))
  })

  test.each([
    ['one second too long', Number(good['iat']) + lives + 1],
    ['milliseconds by mistake', Number(good['exp']) * 1_000],
    ['at iat', Number(good['iat'])],
    ['before iat', Number(good['iat']) - 1],
    ['a string', JSON.stringify(good['exp'])],
    ['null', null],
    ['an array', [Number(good['exp'])]],
  ])('exp that is %s is refused', (_, exp) => {
    expect(checkClaims({ ...good, exp }, context)).toEqual(refused('maxLifetime'))
  })

  test('a shorter life than the longest is allowed', () => {
    const exp = Number(good['iat']) + 1
    expect(checkClaims({ ...good, exp }, context)).toMatchObject({ expiresAt: exp * 1_000 })
  })

  test('the grant’s lifetime binds too', () => {
    const short = jwtContext({ profile, lifetimeSecondsMax: 100 })
    expect(checkClaims({ ...good, exp: Number(good['iat']) + 100 }, short)).toMatchObject({
      verdict: 'allow',
    })
    expect(checkClaims({ ...good, exp: Number(good['iat']) + 101 }, short)).toEqual(
      refused('maxLifetime'),
    )
  })

  test('a claim that nobody lists is refused', () => {
    expect(checkClaims({ ...good, nbf: now }, context)).toEqual(refused('nbf.unlisted'))
    expect(checkClaims({ ...good, ISS: 'x' }, context)).toEqual(refused('ISS.unlisted'))
  })

  test('a jti is a string where the profile has one, and unlisted elsewhere', () => {
    const decision = checkClaims({ ...good, jti: 42 }, context)
    expect(decision).toEqual(refused(context.profile.jti ? 'jti.required' : 'jti.unlisted'))
  })
})

test('the order of the rules is fixed, then jti, the grant’s, iat, exp', () => {
  const claims: readonly ClaimRule[] = [
    { claim: 'sub', optional: false, check: { kind: 'const', value: 'a' } },
    { claim: 'role', optional: false, check: { kind: 'const', value: 'b' } },
  ]
  const context = jwtContext({ profile: 'generic-jwt', claims })
  let held: JsonObject = { unlisted: 1 }
  const named: string[] = []
  for (const [claim, wrong, right] of [
    ['iss', 'x', 'https://acme.example'],
    ['jti', 1, 'a-jti'],
    ['sub', 'x', 'a'],
    ['role', 'x', 'b'],
  ] as const) {
    for (const value of [undefined, wrong]) {
      const decision = checkClaims(
        value === undefined ? held : { ...held, [claim]: value },
        context,
      )
      named.push(decision.verdict === 'refuse' && 'rule' in decision ? decision.rule : 'allow')
    }
    held = { ...held, [claim]: right }
  }
  expect(named).toEqual([
    'iss.required',
    'iss.const',
    'jti.required',
    'jti.required',
    'sub.required',
    'sub.const',
    'role.required',
    'role.const',
  ])
  expect(checkClaims(held, context)).toEqual(refused('unlisted.unlisted'))
  expect(checkClaims(without(held, 'unlisted'), context)).toEqual(refused('iat.required'))
  expect(checkClaims({ ...without(held, 'unlisted'), iat: now }, context)).toEqual(
    refused('exp.required'),
  )
})

type Situation = {
  readonly profile: ProfileName
  readonly nowMs: number
  readonly lifetimeSecondsMax: number | undefined
  readonly ownIat: number | undefined
  readonly claims: JsonObject
}

describe('what the service composes', () => {
  const rules: readonly ClaimRule[] = [
    { claim: 'sub', optional: true, check: { kind: 'text', charactersMax: 8 } },
    { claim: 'tag', optional: true, check: { kind: 'oneOf', values: [1, 'x', true] } },
  ]
  const added = fc.record(
    { sub: fc.string({ maxLength: 4 }), tag: fc.constantFrom(1, 'x', true) },
    { requiredKeys: [] },
  )
  const situation: fc.Arbitrary<Situation> = fc.record({
    profile: fc.constantFrom<ProfileName>(...expiringProfileNames),
    nowMs: fc.integer({ min: 1_000_000_000_000, max: 4_000_000_000_000 }),
    lifetimeSecondsMax: fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined }),
    ownIat: fc.option(fc.integer({ min: -65, max: 65 }), { nil: undefined }),
    claims: added,
  })

  /** A context, and a claim set that it allows to be sent. */
  function asked({ ownIat, claims, ...setting }: Situation): {
    context: JwtContext
    sent: JsonObject
  } {
    const isOpen = setting.profile === 'generic-jwt'
    const context = jwtContext({ ...setting, claims: isOpen ? rules : [] })
    const iat = Math.floor(setting.nowMs / 1_000) + (ownIat ?? 0)
    const own = context.profile.callerMaySendIat && ownIat !== undefined ? { iat } : {}
    return { context, sent: { ...(isOpen ? claims : {}), ...own } }
  }

  test('is always allowed as a signing input at that moment', () => {
    const property = fc.property(situation, (sample) => {
      const { context, sent } = asked(sample)
      const claims = composed(context, sent)
      expect(checkClaims(claims, context)).toEqual({
        verdict: 'allow',
        claims,
        expiresAt: Number(claims['exp']) * 1_000,
      })
    })
    fc.assert(property, { numRuns: 5_000 })
  })

  test('is refused after any single change to what the service set', () => {
    const wrong = fc.constantFrom<Json>(null, '', 'x', 0, -1, true, [], {}, 2 ** 40, 'Iv23lI')
    const property = fc.property(situation, fc.nat(), wrong, (sample, place, value) => {
      const { context, sent } = asked(sample)
      const claims = composed(context, sent)
      const { reserved } = context.profile
      const name = reserved[place % reserved.length] ?? ''
      const isAnotherJti = name === 'jti' && typeof value === 'string'
      const changed = value === '' ? without(claims, name) : { ...claims, [name]: value }
      expect(isAnotherJti || checkClaims(changed, context).verdict === 'refuse').toBe(true)
    })
    fc.assert(property, { numRuns: 5_000 })
  })

  test('cannot be made to live a second longer from either end', () => {
    const property = fc.property(situation, fc.integer({ min: 1, max: 200 }), (sample, more) => {
      const { context, sent } = asked(sample)
      const claims = composed(context, sent)
      const later = { ...claims, exp: Number(claims['exp']) + more }
      const earlier = { ...claims, iat: Number(claims['iat']) - more }
      expect(checkClaims(later, context)).toEqual(refused('maxLifetime'))
      expect(checkClaims(earlier, context)).toMatchObject({
        verdict: 'refuse',
        rule: expect.stringMatching(/^maxLifetime$|^iat\.skew$/),
      })
    })
    fc.assert(property, { numRuns: 2_000 })
  })
})
