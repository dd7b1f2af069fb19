import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/lib/json.ts'
import { checkClaims, composeClaims } from '../../src/policy/jwt.ts'
import { resolveProfile } from '../../src/policy/profiles.ts'
import { checkHeader, parseSigningInput } from '../../src/policy/signing-input.ts'
import { type JwtSetting, jwtContext, profileSettings } from '../support/grant.ts'

/** Tokens of API keys (CONTRACT §1.1, DESIGN §2): HS256, no times, and a payload that names its version. */

const profile = resolveProfile(profileSettings['api-key-token'])
const expected = { alg: 'HS256', ...profile }
const token = { key_id: 'id-1', fingerprint: 'device-1' }
const context = (part: Partial<JwtSetting> = {}) =>
  jwtContext({ profile: 'api-key-token', noExpiry: true, versions: ['id-1', 'id-2'], ...part })
const refused = (rule: string) => ({ verdict: 'refuse', code: 'claims_refused', rule })
const compose = (claims: JsonObject, part?: Partial<JwtSetting>) =>
  composeClaims(claims, context(part), 'a-jti')
const check = (claims: JsonObject, part?: Partial<JwtSetting>) => checkClaims(claims, context(part))

describe('the header', () => {
  test.each([
    { alg: 'HS256', typ: 'JWT' },
    { typ: 'JWT', alg: 'HS256' },
  ])('has exactly its two members, in any order: %j', (header) => {
    expect(checkHeader(header, expected)).toBeUndefined()
  })

  test.each([
    [{ alg: 'HS256' }, 'the header has no typ'],
    [{ typ: 'JWT' }, 'the header has no alg'],
    [{}, 'the header has no alg'],
    [{ alg: 'HS256', typ: 'JWT', kid: 'id-1' }, 'the header has members other than alg, typ'],
    [{ alg: 'HS256', typ: 'JWT', cty: 'JWT' }, 'the header has members other than alg, typ'],
    [{ alg: 'HS384', typ: 'JWT' }, "the header's alg is not HS256"],
    [{ alg: 'none', typ: 'JWT' }, "the header's alg is not HS256"],
    [{ alg: 'HS256', typ: 'jwt' }, 'typ is not JWT'],
  ])('%j is refused', (header, message) => {
    expect(() => checkHeader(header, expected)).toThrow(
      expect.objectContaining({
        code: 'malformed_signing_input',
        message: `signingInput: ${message}`,
      }),
    )
  })
})

describe('the payload', () => {
  test.each([token, { fingerprint: 'device-1', key_id: 'id-2' }])(
    'has exactly its two members, in any order, and never expires: %j',
    (claims) => {
      expect(check(claims)).toEqual({ verdict: 'allow', claims, expiresAt: undefined })
    },
  )

  test.each([
    ['no key_id', { fingerprint: 'device-1' }, 'key_id.const'],
    ['a key_id of nobody', { ...token, key_id: 'id-3' }, 'key_id.const'],
    ['an empty key_id', { ...token, key_id: '' }, 'key_id.const'],
    ['a key_id of another type', { ...token, key_id: ['id-1'] }, 'key_id.const'],
    ['no fingerprint', { key_id: 'id-1' }, 'fingerprint.required'],
    ['a fingerprint that is no text', { ...token, fingerprint: 1 }, 'fingerprint.text'],
    ['a fingerprint of 513', { ...token, fingerprint: 'f'.repeat(513) }, 'fingerprint.text'],
    ['an exp', { ...token, exp: 1_800_000_060 }, 'exp.unlisted'],
    ['an iat', { ...token, iat: 1_800_000_000 }, 'iat.unlisted'],
    ['a sub', { ...token, sub: '42' }, 'sub.unlisted'],
    ['nothing', {}, 'key_id.const'],
  ] as const)('with %s is refused', (_, claims, rule) => {
    expect(check(claims)).toEqual(refused(rule))
  })

  test.each(['', 'f'.repeat(512)])(
    'takes a fingerprint of at most 512 characters',
    (fingerprint) => {
      expect(check({ ...token, fingerprint })).toMatchObject({ verdict: 'allow' })
    },
  )

  test('twice the same member is no JSON of ours', () => {
    const b64 = (text: string) => Buffer.from(text).toString('base64url')
    const payload = b64('{"key_id":"id-1","key_id":"id-2","fingerprint":"f"}')
    expect(() => parseSigningInput(`${b64('{"alg":"HS256","typ":"JWT"}')}.${payload}`)).toThrow(
      expect.objectContaining({ code: 'malformed_signing_input' }),
    )
  })
})

describe('claims', () => {
  test('are the fingerprint alone: the version that signs adds its id', () => {
    const claims = { fingerprint: 'device-1' }
    expect(compose(claims)).toEqual({ verdict: 'allow', claims, expiresAt: undefined })
  })

  test('with a key_id are refused, whatever it says', () => {
    for (const key_id of ['id-1', 'id-3', null]) {
      expect(compose({ ...token, key_id })).toEqual({
        verdict: 'refuse',
        code: 'claim_not_allowed',
        claim: 'key_id',
      })
    }
  })

  test.each([
    [{}, 'fingerprint.required'],
    [{ fingerprint: null }, 'fingerprint.text'],
    [{ fingerprint: 'f'.repeat(513) }, 'fingerprint.text'],
    [{ fingerprint: 'f', exp: 1_800_000_060 }, 'exp.unlisted'],
    [{ fingerprint: 'f', jti: 'j' }, 'jti.unlisted'],
  ] as const)('%j are refused', (claims, rule) => {
    expect(compose(claims)).toEqual(refused(rule))
  })
})

describe('without noExpiry', () => {
  const part = { noExpiry: false }

  test('nothing is allowed, and that is said before anything else of the claims', () => {
    for (const claims of [token, {}, { key_id: 'id-3' }, { exp: 1 }]) {
      expect(check(claims, part)).toEqual(refused('noExpiry'))
    }
    for (const claims of [{ fingerprint: 'device-1' }, {}, { exp: 1 }]) {
      expect(compose(claims, part)).toEqual(refused('noExpiry'))
    }
  })

  test('a lifetime of the grant is no consent', () => {
    expect(check(token, { ...part, lifetimeSecondsMax: 60 })).toEqual(refused('noExpiry'))
  })
})
