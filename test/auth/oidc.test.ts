import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AuthenticationFailure } from '../../src/auth/caller.ts'
import { memoryKey } from '../support/memory-key.ts'
import { oidcCaller, oidcCallers } from '../support/oidc-callers.ts'
import { segment, signed, tokenOf } from '../support/token.ts'

const key = memoryKey('ES256')
const published = { one: key }

const one = () => oidcCallers([oidcCaller()], published)

describe('a token that matches', () => {
  test('proves its caller, with what it was matched by', async () => {
    const caller = oidcCaller({ match: { repository_id: '1234', '/a/b': 7, env: true } })
    const { ask, claims } = oidcCallers([caller], published)
    const token = await tokenOf(key, claims({ a: { b: 7 }, env: true, secret: 'canary' }))
    expect(await ask(token)).toEqual({
      caller: {
        name: 'blog-backend',
        attributes: { name: 'blog-backend', repository_id: '1234', '/a/b': 7, env: true },
      },
    })
  })

  test('never gives its caller another name', async () => {
    const { ask, claims } = oidcCallers([oidcCaller({ match: { name: 'root' } })], published)
    const proof = await ask(await tokenOf(key, claims({ name: 'root' })))
    expect(proof).toMatchObject({ caller: { attributes: { name: 'blog-backend' } } })
  })
})

type Change = Readonly<Record<string, unknown>>

const now = 1_800_000_000
const refusals: readonly (readonly [AuthenticationFailure, string, Change])[] = [
  ['unknown_issuer', 'another issuer', { iss: 'https://other.example' }],
  ['unknown_issuer', 'the issuer with a slash', { iss: 'https://issuer.example/' }],
  ['unknown_issuer', 'the issuer in capitals', { iss: 'HTTPS://ISSUER.EXAMPLE' }],
  ['malformed', 'no issuer', { iss: undefined }],
  ['wrong_audience', 'another audience', { aud: 'other' }],
  ['wrong_audience', 'one audience more', { aud: ['chancery', 'other'] }],
  ['wrong_audience', 'an audience that is a number', { aud: 7 }],
  ['wrong_audience', 'an audience that is an object', { aud: {} }],
  ['malformed', 'no audience', { aud: undefined }],
  ['expired', 'an end that is over', { exp: now - 5 }],
  ['malformed', 'no end', { exp: undefined }],
  ['malformed', 'an end that is a text', { exp: '1800000600' }],
  ['malformed', 'an end that is a fraction', { exp: now + 600.5 }],
  ['malformed', 'no beginning', { iat: undefined }],
  ['not_yet_valid', 'a beginning ahead', { iat: now + 6, exp: now + 10 }],
  ['not_yet_valid', 'an nbf ahead', { nbf: now + 6 }],
  ['malformed', 'an nbf that is a text', { nbf: String(now) }],
  ['lives_too_long', 'too long a life', { exp: now + 3_601 }],
  ['lives_too_long', 'an end in milliseconds', { exp: (now + 600) * 1_000 }],
  ['no_caller_matches', 'another claim', { repository_id: '1235' }],
  ['no_caller_matches', 'the claim as a number', { repository_id: 1_234 }],
  ['no_caller_matches', 'no such claim', { repository_id: undefined }],
]

describe('a token of the issuer is refused for', () => {
  test.each(refusals)('%s: %s', async (refused, _, change) => {
    const { ask, claims } = one()
    expect(await ask(await tokenOf(key, claims(change)))).toEqual({ refused })
  })

  test('a kid that the issuer does not have', async () => {
    const { ask, claims } = one()
    const token = await tokenOf(key, claims(), { kid: 'two' })
    expect(await ask(token)).toEqual({ refused: 'unknown_signing_key' })
  })
})

test('clocks may differ by five seconds, either way', async () => {
  const { ask, claims } = one()
  const late = { iat: now - 600, exp: now - 4 }
  const early = { iat: now + 5, nbf: now + 5, exp: now + 600 }
  for (const times of [late, early]) {
    expect(await ask(await tokenOf(key, claims(times)))).toHaveProperty('caller')
  }
})

describe('a forged token', () => {
  test('with any one character changed is refused', async () => {
    const { ask, claims } = one()
    const token = await tokenOf(key, claims())
    const changed = token
      .split('')
      .flatMap((character, at) =>
        ['A', 'B', '_', '.']
          .filter((other) => other !== character)
          .map((other) => token.slice(0, at) + other + token.slice(at + 1)),
      )
    expect(changed.length).toBeGreaterThan(500)
    const proofs = await Promise.all(changed.map((text) => ask(text)))
    expect(proofs.filter((proof) => 'caller' in proof)).toEqual([])
    expect(await ask(token)).toHaveProperty('caller')
  })

  test('made of the parts of good ones is refused', async () => {
    const { ask, claims } = one()
    const tokens = await Promise.all(
      [{}, { exp: now + 700 }].map((change) => tokenOf(key, claims(change))),
    )
    const [[h, p, s] = [], [, p2, s2] = []] = tokens.map((token) => token.split('.'))
    for (const text of [`${h}.${p}.${s2}`, `${h}.${p2}.${s}`, `${h}.${p}.`, `${h}..${s}`]) {
      expect(await ask(text)).not.toHaveProperty('caller')
    }
  })

  test('with anything around it is refused', async () => {
    const { ask, claims } = one()
    const token = await tokenOf(key, claims())
    const around = fc.string({ unit: 'binary', minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(around, fc.boolean(), async (text, isBefore) => {
        const proof = await ask(isBefore ? text + token : token + text)
        expect(proof).not.toHaveProperty('caller')
      }),
      { numRuns: 300 },
    )
  })

  test('does not have anything fetched for it when its issuer is nobody’s', async () => {
    const { ask, claims, issuer } = one()
    await ask(await tokenOf(key, claims({ iss: 'https://evil.example' })))
    await ask('not a token')
    expect(issuer.readings).toBe(0)
  })
})

describe('two callers', () => {
  const reader = oidcCaller({ name: 'reader', match: { repository_id: '1234', env: 'dev' } })
  const writer = oidcCaller({ name: 'writer', match: { repository_id: '1234', env: 'prod' } })
  const wide = oidcCaller({ name: 'wide' })

  test('of one issuer are told apart by their claims', async () => {
    const { ask, claims } = oidcCallers([reader, writer], published)
    const [dev, prod] = [claims({ env: 'dev' }), claims({ env: 'prod' })]
    expect(await ask(await tokenOf(key, dev))).toMatchObject({ caller: { name: 'reader' } })
    expect(await ask(await tokenOf(key, prod))).toMatchObject({ caller: { name: 'writer' } })
  })

  test('that one token matches are neither of them, in any order', async () => {
    for (const callers of [
      [reader, wide],
      [wide, reader],
    ]) {
      const { ask, claims } = oidcCallers(callers, published)
      const token = await tokenOf(key, claims({ env: 'dev' }))
      expect(await ask(token)).toEqual({ refused: 'two_callers_match' })
      expect(await ask(token)).toEqual({ refused: 'two_callers_match' })
    }
  })

  test('whose algorithms differ do not lend them to each other', async () => {
    const rsa = memoryKey('RS256')
    const strict = oidcCaller({ name: 'strict', algorithms: ['RS256'], match: { env: 'dev' } })
    const { ask, claims } = oidcCallers([strict, writer], { one: key, rsa })
    const proof = await ask(await tokenOf(key, claims({ env: 'dev' })))
    expect(proof).toEqual({ refused: 'no_caller_matches' })
    const good = await tokenOf(rsa, claims({ env: 'dev' }), { kid: 'rsa' })
    expect(await ask(good)).toMatchObject({ caller: { name: 'strict' } })
  })

  test('that miss a token for one reason have that reason told', async () => {
    const { ask, claims } = oidcCallers([reader, writer], published)
    const token = await tokenOf(key, claims({ aud: 'other' }))
    expect(await ask(token)).toEqual({ refused: 'wrong_audience' })
  })
})

describe('a token that was found good', () => {
  test('is not looked at again for a minute, and then it is', async () => {
    const { ask, claims, clock, issuer } = one()
    const token = await tokenOf(key, claims())
    for (const [waitMs, looks] of [
      [0, 1],
      [0, 1],
      [59_999, 1],
      [1, 2],
      [59_999, 2],
    ] as const) {
      clock.advance(waitMs)
      expect(await ask(token)).toHaveProperty('caller')
      expect(issuer.looks).toBe(looks)
    }
  })

  test('is not kept any longer by a wall clock that is set back', async () => {
    const { ask, claims, clock, issuer } = one()
    const token = await tokenOf(key, claims())
    await ask(token)
    clock.step(-3_600_000)
    clock.advance(60_000)
    expect(await ask(token)).toEqual({ refused: 'not_yet_valid' })
    expect(issuer.looks).toBe(2)
  })

  test('is told from one that was found bad: that is looked at each time', async () => {
    const { ask, claims, issuer } = one()
    const bad = await tokenOf(memoryKey('ES256', 'other'), claims())
    for (const looks of [1, 2, 3]) {
      expect(await ask(bad)).toEqual({ refused: 'bad_signature' })
      expect(issuer.looks).toBe(looks)
    }
  })

  test('is forgotten at its own end', async () => {
    const { ask, claims, clock, issuer } = one()
    const token = await tokenOf(key, claims({ exp: now + 10 }))
    await ask(token)
    clock.advance(9_999)
    expect(await ask(token)).toHaveProperty('caller')
    expect(issuer.looks).toBe(1)
    clock.advance(1)
    expect(await ask(token)).toHaveProperty('caller') // which clocks that differ allow
    expect(issuer.looks).toBe(2)
    clock.advance(5_000)
    expect(await ask(token)).toEqual({ refused: 'expired' })
  })

  test('is no proof for another text that says the same', async () => {
    const { ask, claims } = one()
    const token = await tokenOf(key, claims())
    await ask(token)
    const [head, body, signature] = token.split('.')
    expect(await ask(`${head}.${body}.${signature}=`)).toEqual({ refused: 'malformed' })
    const spaced = `${head}.${Buffer.from(`${JSON.stringify(claims())} `).toString('base64url')}`
    expect(await ask(`${spaced}.${signature}`)).toEqual({ refused: 'bad_signature' })
    expect(await ask(await signed(spaced, key))).toHaveProperty('caller')
  })
})

test('an issuer that is away is no reason to say that a token is bad', async () => {
  const { ask, claims, issuer } = one()
  issuer.isAway = true
  await expect(ask(await tokenOf(key, claims()))).rejects.toMatchObject({
    code: 'issuer_unavailable',
  })
  const forged = `${segment({ alg: 'ES256', kid: 'one' })}.${segment(claims())}.AAAA`
  await expect(ask(forged)).rejects.toMatchObject({ code: 'issuer_unavailable' })
})
