import { describe, expect, test } from 'vitest'
import { fingerprintNames, fingerprints, spkiPem } from '../../src/signing/fingerprint.ts'
import { publicKeyFromSpki, type PublicKey } from '../../src/signing/public-key.ts'
import { publicJwk } from '../../src/signing/public-jwk.ts'
import { fingerprintVectors, publicKeyOfJwk, rfcVectors } from '../support/vectors.ts'

const { vectors } = fingerprintVectors
const keyOf = ({ publicDerBase64 }: { publicDerBase64: string }): PublicKey =>
  publicKeyFromSpki(Buffer.from(publicDerBase64, 'base64'))

test('there are ten keys to compare with', () => {
  expect(vectors.length).toBe(10)
})

describe.each(vectors)('$name', (vector) => {
  const key = keyOf(vector)

  test('every named fingerprint is what openssl and ssh-keygen say', () => {
    const { expected } = vector
    expect(fingerprints(key)).toEqual({
      contentful: expected.contentfulKid,
      github: expected.githubDisplay,
      icr: expected.icr,
      rfc7638: expected.jwkThumbprint,
      ...(expected.sshSha256 ? { ssh: expected.sshSha256 } : {}),
      'spki-sha256-hex': expected.spkiSha256HexColon,
    })
  })

  test('no two formats give the same text, and none gives a text of a broken one', () => {
    const values = Object.values<string>(fingerprints(key))
    const wrong = Object.values(vector.mustNotEqual)
    expect(wrong.length).toBe(2)
    expect(new Set([...values, ...wrong]).size).toBe(values.length + wrong.length)
  })

  test('the PEM is that of openssl, with its final newline', () => {
    expect(spkiPem(key)).toBe(vector.publicPem)
  })

  test('the public JWK has the required members and no other, at full width', () => {
    expect(publicJwk(key)).toEqual(vector.jwk)
  })

  test('the JWK leads back to the same key', () => {
    expect(publicKeyOfJwk(vector.jwk).spki).toEqual(key.spki)
  })
})

test('only secp256k1 has no form for ssh', () => {
  const without = vectors.filter((vector) => fingerprints(keyOf(vector)).ssh === undefined)
  expect(without.map(({ name }) => name)).toEqual(['ec-secp256k1'])
})

test('every format has a name, and every name a format', () => {
  const [rsa] = vectors
  expect(rsa && Object.keys(fingerprints(keyOf(rsa)))).toEqual(fingerprintNames)
})

test.each(rfcVectors.thumbprints)('the thumbprint of $section', ({ jwk, thumbprint }) => {
  expect(fingerprints(publicKeyOfJwk(jwk)).rfc7638).toBe(thumbprint)
})

test('a coordinate that starts with a zero byte keeps it in JWK and thumbprint', () => {
  const vector = vectors.find(({ name }) => name === 'ec-p256-leading-zero')
  const jwk = vector && publicJwk(keyOf(vector))
  expect(jwk).toMatchObject({ y: expect.stringMatching(/^A/) })
  expect(jwk?.kty === 'EC' && Buffer.from(jwk.y, 'base64url').length).toBe(32)
})
