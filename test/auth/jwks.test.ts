import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { hasNoKeyFor, publicKeySet } from '../../src/auth/jwks.ts'
import { memoryKey, publicAlgorithmNames } from '../support/memory-key.ts'
import { publicJwk, segment, tokenOf } from '../support/token.ts'

const rsa = memoryKey('RS256')
const other = memoryKey('RS256', 'other')
const ec = memoryKey('ES256')

/** What a header finds; a `kid` of null is one that is not there. */
async function find(
  keys: readonly unknown[],
  { alg = 'RS256', kid = 'one' }: { readonly alg?: string; readonly kid?: string | null } = {},
) {
  const set = publicKeySet({ keys })
  const jws = { payload: '', signature: '' }
  try {
    return await set(kid === null ? { alg } : { alg, kid }, jws)
  } catch (error) {
    if (hasNoKeyFor(error)) return undefined
    throw error
  }
}

test.each(publicAlgorithmNames)(
  'a key of %s verifies what its private half signed',
  async (alg) => {
    const keys = [publicJwk(memoryKey(alg, 'other'), { kid: 'two' }), publicJwk(memoryKey(alg))]
    const token = await tokenOf(memoryKey(alg), { sub: '42' })
    const { payload } = await jwtVerify(token, publicKeySet({ keys }))
    expect(payload).toEqual({ sub: '42' })
  },
)

describe('a token finds', () => {
  test('the key of its kid', async () => {
    const keys = [publicJwk(rsa), publicJwk(other, { kid: 'two' })]
    expect(await find(keys, { kid: 'two' })).toBeDefined()
    expect(await find(keys, { kid: 'three' })).toBeUndefined()
    expect(await find(keys, { kid: 'ONE' })).toBeUndefined()
  })

  test('the only key, when it names none', async () => {
    expect(await find([publicJwk(rsa)], { kid: null })).toBeDefined()
    expect(await find([publicJwk(rsa), publicJwk(ec)], { kid: null })).toBeDefined()
  })

  test('nothing, when it names none and there are two', async () => {
    const keys = [publicJwk(rsa), publicJwk(other, { kid: 'two' })]
    expect(await find(keys, { kid: null })).toBeUndefined()
  })

  test('nothing, when two keys have its kid', async () => {
    expect(await find([publicJwk(rsa), publicJwk(other)])).toBeUndefined()
  })

  test('no key by a kid that the key does not have', async () => {
    expect(await find([publicJwk(rsa, { kid: undefined })])).toBeUndefined()
  })
})

describe('not used is a key', () => {
  test.each([
    ['for encryption', publicJwk(rsa, { use: 'enc' })],
    ['whose operations are others', publicJwk(rsa, { key_ops: ['encrypt'] })],
    ['without any operation', publicJwk(rsa, { key_ops: [] })],
    ['of another algorithm', publicJwk(rsa, { alg: 'PS256' })],
    ['of another kind', publicJwk(ec)],
    ['of a kind that nobody knows', { kty: 'AKP', kid: 'one', alg: 'ML-DSA-44', pub: 'AAAA' }],
    ['of a kind that is a number', publicJwk(rsa, { kty: 1 })],
    ['without its modulus', publicJwk(rsa, { n: undefined })],
    ['whose modulus is a list', publicJwk(rsa, { n: ['AQAB'] })],
    ['whose kid is a number', publicJwk(rsa, { kid: 1 })],
    ['whose kid has 257 characters', publicJwk(rsa, { kid: 'k'.repeat(257) })],
    ['of 1024 bits', publicJwk({ ...rsa, secret: rsaOf(1_024) })],
    [
      'of 8200 bits',
      { kty: 'RSA', kid: 'one', e: 'AQAB', n: Buffer.alloc(1_025, 0xff).toString('base64url') },
    ],
    ['that is no object', 'RSA'],
    ['that is null', null],
  ])('%s', async (_, key) => {
    expect(await find([key])).toBeUndefined()
    // The others stay what they are.
    expect(await find([key, publicJwk(other, { kid: 'two' })], { kid: 'two' })).toBeDefined()
  })

  test('that is a point beside its curve', async () => {
    const key = publicJwk(ec, { y: Buffer.alloc(32, 1).toString('base64url') })
    expect(await find([key], { alg: 'ES256' })).toBeUndefined()
  })

  test('on the curve of another algorithm', async () => {
    expect(await find([publicJwk(memoryKey('ES384'))], { alg: 'ES256' })).toBeUndefined()
  })
})

describe('a secret', () => {
  const k = Buffer.alloc(32, 7).toString('base64url')

  test.each(['HS256', 'HS384', 'HS512'])('of %s in a key set is never used', async (alg) => {
    const set = publicKeySet({ keys: [{ kty: 'oct', kid: 'one', alg, k }] })
    const input = `${segment({ alg, kid: 'one' })}.${segment({ sub: '42' })}`
    const mac = createHmac(alg.replace('HS', 'sha'), Buffer.alloc(32, 7)).update(input)
    const token = `${input}.${mac.digest('base64url')}`
    await expect(jwtVerify(token, set)).rejects.toMatchObject({ code: 'ERR_JOSE_NOT_SUPPORTED' })
  })

  test('that makes a public key private does not reach what is kept', async () => {
    const key = await find([{ ...rsa.secret.export({ format: 'jwk' }), kid: 'one' }])
    expect(key).toMatchObject({ type: 'public' })
  })
})

describe('no key set is', () => {
  test.each([
    ['null', null],
    ['a list of keys', [publicJwk(rsa)]],
    ['an object without keys', { jwks: [] }],
    ['keys that are an object', { keys: { one: publicJwk(rsa) } }],
    ['more than a hundred keys', { keys: Array.from({ length: 101 }, () => publicJwk(rsa)) }],
    ['an HTML page', '<html>'],
  ])('%s', (_, document) => {
    expect(() => publicKeySet(document)).toThrow(expect.objectContaining({ name: 'ZodError' }))
  })

  test('but an empty one is: the issuer has withdrawn everything', async () => {
    expect(await find([])).toBeUndefined()
  })

  test('but a hundred keys are', async () => {
    const keys = Array.from({ length: 100 }, (_, i) => publicJwk(rsa, { kid: `${i}` }))
    expect(await find(keys, { kid: '99' })).toBeDefined()
  })
})

function rsaOf(modulusLength: number) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength })
  expect(createPublicKey(privateKey).asymmetricKeyDetails?.modulusLength).toBe(modulusLength)
  return privateKey
}
