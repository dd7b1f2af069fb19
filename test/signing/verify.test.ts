import { compactVerify, importJWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../src/lib/bytes.ts'
import { signMessage } from '../../src/signing/sign.ts'
import { verifies } from '../../src/signing/verify.ts'
import { memoryKeyPair, publicAlgorithmNames } from '../support/memory-key.ts'
import { publicKeyOfJwk, rfcVectors } from '../support/vectors.ts'

const { signal } = new AbortController()
const message = utf8('a message')

describe.each(rfcVectors.signatures)('$section, $alg', ({ alg, jwk, signingInput, signature }) => {
  const bytes = Buffer.from(signature, 'base64url')
  const accepts = (text: string, candidate: Uint8Array): boolean =>
    verifies(publicKeyOfJwk(jwk), memoryKeyPair(alg).algorithm, utf8(text), candidate)

  test('the published signature verifies', () => {
    expect(accepts(signingInput, bytes)).toBe(true)
  })

  test('it verifies over no other text', () => {
    expect(accepts(`${signingInput} `, bytes)).toBe(false)
  })

  test('no single bit of its first and last bytes can be changed', () => {
    const places = [0, 1, bytes.length - 2, bytes.length - 1]
    const flipped = places.flatMap((at) =>
      [1, 128].map((bit) => bytes.map((byte, i) => (i === at ? byte ^ bit : byte))),
    )
    expect(flipped.map((candidate) => accepts(signingInput, candidate))).toEqual(
      flipped.map(() => false),
    )
  })
})

describe.each(publicAlgorithmNames)('%s', (name) => {
  const one = memoryKeyPair(name, 'one')
  const other = memoryKeyPair(name, 'other')

  test('a signature verifies under its own key and under no other', async () => {
    const signature = await signMessage(one, message, signal)
    expect(verifies(one.publicKey, one.algorithm, message, signature)).toBe(true)
    expect(verifies(other.publicKey, one.algorithm, message, signature)).toBe(false)
  })

  test('a signature verifies under no other algorithm that its key fits', async () => {
    const signature = await signMessage(one, message, signal)
    const accepting = publicAlgorithmNames.filter((candidate) => {
      const { algorithm: row, publicKey } = memoryKeyPair(candidate)
      const fits = publicKey.object.equals(one.publicKey.object)
      return fits && verifies(publicKey, row, message, signature)
    })
    expect(accepting).toEqual([name])
  })

  test('jose takes the signature for a JWS over the same key', async () => {
    const header = Buffer.from(JSON.stringify({ alg: name })).toString('base64url')
    const signingInput = `${header}.${Buffer.from(message).toString('base64url')}`
    const signature = Buffer.from(await signMessage(one, utf8(signingInput), signal))
    const key = await importJWK(one.publicKey.object.export({ format: 'jwk' }), name)
    const jws = `${signingInput}.${signature.toString('base64url')}`
    await expect(compactVerify(jws, key, { algorithms: [name] })).resolves.toMatchObject({
      payload: new Uint8Array(message),
    })
  })

  test.each([
    ['nothing', new Uint8Array()],
    ['zeros', new Uint8Array(one.algorithm.kty === 'EC' ? 2 * one.algorithm.coordinateBytes : 64)],
    ['ones', new Uint8Array(256).fill(0xff)],
    ['64 KiB', new Uint8Array(65_536)],
  ])('%s is no signature', (_, candidate) => {
    expect(verifies(one.publicKey, one.algorithm, message, candidate)).toBe(false)
  })
})
