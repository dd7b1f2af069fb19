import { createHmac, createPublicKey, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { memoryKey, publicAlgorithmNames } from '../support/memory-key.ts'
import { oidcCaller, oidcCallers } from '../support/oidc-callers.ts'
import { publicJwk, segment, signed, tokenOf } from '../support/token.ts'

const rsa = memoryKey('RS256')
const ec = memoryKey('ES256')
const ec384 = memoryKey('ES384')

/** A caller that lists all but the ones of HMAC, and the issuer's keys of every kind. */
const generous = () =>
  oidcCallers([oidcCaller({ algorithms: publicAlgorithmNames })], { one: rsa, ec, ec384 })

describe.each(publicAlgorithmNames)('a token of %s', (alg) => {
  const key = memoryKey(alg)
  const only = () => oidcCallers([oidcCaller({ algorithms: [alg] })], { one: key })

  test('is its caller’s', async () => {
    const { ask, claims } = only()
    expect(await ask(await tokenOf(key, claims()))).toMatchObject({
      caller: { name: 'blog-backend' },
    })
  })

  test('signed by a key of the same kind that the issuer does not have is refused', async () => {
    const { ask, claims } = only()
    const forged = await tokenOf(memoryKey(alg, 'other'), claims())
    expect(await ask(forged)).toEqual({ refused: 'bad_signature' })
  })

  test('is refused where it is not listed', async () => {
    const algorithms = publicAlgorithmNames.filter((name) => name !== alg)
    const { ask, claims } = oidcCallers([oidcCaller({ algorithms })], { one: key })
    expect(await ask(await tokenOf(key, claims()))).toEqual({ refused: 'algorithm_not_listed' })
  })

  test('that says that it is of another algorithm is refused', async () => {
    const { ask, claims } = generous()
    for (const other of publicAlgorithmNames.filter((name) => name !== alg)) {
      for (const kid of ['one', 'ec', 'ec384']) {
        const input = `${segment({ alg: other, kid })}.${segment(claims())}`
        const proof = await ask(await signed(input, key, alg))
        expect(proof).not.toHaveProperty('caller')
      }
    }
  })
})

describe('no algorithm at all', () => {
  test.each(['none', 'None', 'NONE', 'nOnE'])('%j is refused', async (alg) => {
    const { ask, claims } = generous()
    const input = `${segment({ alg, kid: 'one' })}.${segment(claims())}`
    expect(await ask(`${input}.`)).toEqual({ refused: 'algorithm_not_listed' })
    expect(await ask(`${input}.AAAA`)).toEqual({ refused: 'algorithm_not_listed' })
  })
})

test.each([
  'rs256',
  'Rs256',
  'RS256 ',
  'RSA256',
  'ES256K',
  'Ed25519',
  'ML-DSA-44',
  '__proto__',
  'constructor',
])('an algorithm that only looks like one is refused: %j', async (alg) => {
  const { ask, claims } = generous()
  const token = await tokenOf(rsa, claims(), { alg })
  expect(await ask(token)).toEqual({ refused: 'algorithm_not_listed' })
})

describe('the public key as a secret', () => {
  const publicKey = createPublicKey(rsa.secret)
  const secrets = {
    'its PEM': publicKey.export({ type: 'spki', format: 'pem' }),
    'its PEM without a line feed': publicKey
      .export({ type: 'spki', format: 'pem' })
      .toString()
      .trim(),
    'its PKCS#1 PEM': publicKey.export({ type: 'pkcs1', format: 'pem' }),
    'its DER': publicKey.export({ type: 'spki', format: 'der' }),
    'its JWK': JSON.stringify(publicJwk(rsa)),
    'its modulus': Buffer.from(String(publicJwk(rsa)['n']), 'base64url'),
    nothing: '',
  }

  test.each(Object.entries(secrets))('signs nothing: %s', async (_, secret) => {
    const { ask, claims } = generous()
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      const input = `${segment({ alg, kid: 'one' })}.${segment(claims())}`
      const mac = createHmac(alg.replace('HS', 'sha'), secret).update(input).digest('base64url')
      expect(await ask(`${input}.${mac}`)).toEqual({ refused: 'algorithm_not_listed' })
    }
  })
})

describe('a signature', () => {
  test('with the other padding is none', async () => {
    const { ask, claims } = generous()
    const input = `${segment({ alg: 'RS256', kid: 'one' })}.${segment(claims())}`
    expect(await ask(await signed(input, rsa, 'PS256'))).toEqual({ refused: 'bad_signature' })
    const other = `${segment({ alg: 'PS256', kid: 'one' })}.${segment(claims())}`
    expect(await ask(await signed(other, rsa, 'RS256'))).toEqual({ refused: 'bad_signature' })
  })

  test('of ECDSA in DER is none', async () => {
    const { ask, claims } = generous()
    const input = `${segment({ alg: 'ES256', kid: 'ec' })}.${segment(claims())}`
    const der = sign('sha256', Buffer.from(input), ec.secret).toString('base64url')
    expect(await ask(`${input}.${der}`)).toEqual({ refused: 'bad_signature' })
  })

  // CVE-2022-21449: r = s = 0 verified under every key.
  test.each([
    ['nothing', 0],
    ['zeros', 64],
    ['zeros of another length', 96],
  ])('of %s is none', async (_, bytes) => {
    const { ask, claims } = generous()
    const input = `${segment({ alg: 'ES256', kid: 'ec' })}.${segment(claims())}`
    const zeros = Buffer.alloc(bytes).toString('base64url')
    expect(await ask(`${input}.${zeros}`)).toEqual({ refused: 'bad_signature' })
  })
})

describe('a key', () => {
  test.each([
    ['ES256', 'one'],
    ['RS256', 'ec'],
    ['ES256', 'ec384'],
    ['EdDSA', 'ec'],
  ])('of another kind is not used for %s: %s', async (alg, kid) => {
    const { ask, claims, clock } = generous()
    const input = `${segment({ alg, kid })}.${segment(claims())}`
    expect(await ask(`${input}.AAAA`)).toEqual({ refused: 'unknown_signing_key' })
    clock.advance(30_000)
    expect(await ask(`${input}.AAAA`)).toEqual({ refused: 'unknown_signing_key' })
  })

  test('that the token brings along is not used', async () => {
    const { ask, claims } = generous()
    const forger = memoryKey('ES256', 'other')
    const brought = { jwk: publicJwk(forger), kid: 'ec' }
    expect(await ask(await tokenOf(forger, claims(), brought))).toEqual({ refused: 'malformed' })
  })
})
