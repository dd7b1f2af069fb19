import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { spkiOf } from '../../src/signing/public-key.ts'
import { publicJwk, publicKeyFromJwk, publishedJwk } from '../../src/signing/public-jwk.ts'
import { memoryKeyPair, publicAlgorithmNames } from '../support/memory-key.ts'

const publicMembers = new Set(['kty', 'crv', 'x', 'y', 'n', 'e'])

describe.each(publicAlgorithmNames)('%s', (name) => {
  const { publicKey, secret } = memoryKeyPair(name)

  test('a published JWK says what it is for, and holds public members only', () => {
    const { kid, alg, use, ...members } = publishedJwk(publicKey, 'a-kid', name)
    expect({ kid, alg, use }).toEqual({ kid: 'a-kid', alg: name, use: 'sig' })
    expect(Object.keys(members).filter((member) => !publicMembers.has(member))).toEqual([])
  })

  test('its JWK is the same key again, and no other spelling of it is a key', () => {
    const jwk = publicJwk(publicKey)
    expect(publicKeyFromJwk(jwk).spki).toEqual(publicKey.spki)
    const spelt = Object.entries(jwk).filter(([member]) => /^[nxy]$/.test(member))
    for (const [member, value] of spelt) {
      for (const spelling of [`${value}=`, `AA${value}`, `${value} `, value.slice(1)]) {
        expect(() => publicKeyFromJwk({ ...jwk, [member]: spelling })).toThrow(
          expect.objectContaining({ code: 'vault_key_unusable' }),
        )
      }
    }
  })

  test('a private key is refused where a public one belongs', () => {
    expect(() => publicJwk({ spki: publicKey.spki, object: secret })).toThrow(
      expect.objectContaining({ code: 'vault_key_unusable', message: 'Not a public key' }),
    )
  })
})

test.each(['x25519', 'ed448'] as const)('%s keys have no place in a JWKS of ours', (type) => {
  const object =
    type === 'ed448' ? generateKeyPairSync(type).publicKey : generateKeyPairSync(type).publicKey
  expect(() => publicJwk({ spki: spkiOf(object), object })).toThrow(
    expect.objectContaining({ code: 'vault_key_unusable' }),
  )
})
