import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readKey } from '../../../src/registry/server/read-key.ts'
import { publicKeyFromSpki, spkiOf } from '../../../src/signing/public-key.ts'
import { memoryKeyPair, publicAlgorithmNames } from '../../support/memory-key.ts'
import { contentfulJwk, orphanRsa, rfcJwk } from '../../support/registry-keys.ts'

/** Where and why a JWK is refused. */
function complaints(jwk: unknown): readonly string[] {
  const read = readKey({ jwk })
  if (read.verdict === 'good') return []
  return read.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

const isNoFingerprint = 'not the base64url SHA-256 of the DER SubjectPublicKeyInfo'
const isNoSpki = 'one text: padded base64 of a DER SubjectPublicKeyInfo'
const isNoKey = 'not a public key that RFC 7518 or RFC 8037 writes like this'
const isPrivate = 'a private member: only the public half of a key pair belongs here'

const spkiBase64 = (key: KeyObject) => Buffer.from(spkiOf(key)).toString('base64')

describe('Contentful’s shape', () => {
  const key = orphanRsa()
  const good = contentfulJwk(key)
  const other = contentfulJwk(orphanRsa())

  test.each([4096, 6144, 8192])('is taken with RSA of %d bits', (bits) => {
    const large = orphanRsa(bits)
    const { kid } = contentfulJwk(large)
    const taken = { kid, alg: 'RS256', shape: 'contentful', spki: large.spki }
    expect(readKey({ jwk: contentfulJwk(large) })).toEqual({ verdict: 'good', key: taken })
    expect(readKey({ jwk: contentfulJwk(large), generate: false }).verdict).toBe('good')
  })

  test.each([2048, 3072, 4088])('is refused with RSA of %d bits', (bits) => {
    const jwk = contentfulJwk(orphanRsa(bits))
    expect(complaints(jwk)).toEqual(['jwk.x5c: RSA of 4096 to 8192 bits'])
  })

  test('is refused with RSA of more than 8192 bits', () => {
    const jwk = contentfulJwk(orphanRsa(8200))
    expect(complaints(jwk)).toEqual([expect.stringMatching(/^jwk\.x5c: /)])
  })

  test.each<[string, object, readonly string[]]>([
    ['another kid', { ...good, kid: other.kid }, [`jwk.kid: ${isNoFingerprint}`]],
    ['another x5t', { ...good, x5t: other.kid }, [`jwk.x5t: ${isNoFingerprint}`]],
    [
      'the names of another key',
      { ...good, kid: other.kid, x5t: other.x5t },
      [`jwk.kid: ${isNoFingerprint}`, `jwk.x5t: ${isNoFingerprint}`],
    ],
    ['a short kid', { ...good, kid: 'a' }, [`jwk.kid: ${isNoFingerprint}`]],
    ['another algorithm', { ...good, alg: 'RS512' }, [expect.stringMatching(/^jwk\.alg: /)]],
    ['another type', { ...good, kty: 'EC' }, [expect.stringMatching(/^jwk\.kty: /)]],
    ['another use', { ...good, use: 'enc' }, [expect.stringMatching(/^jwk\.use: /)]],
    ['no x5c', { ...good, x5c: [] }, [`jwk.x5c: ${isNoSpki}`]],
    ['two in x5c', { ...good, x5c: [good.x5c[0], good.x5c[0]] }, [`jwk.x5c: ${isNoSpki}`]],
    ['no base64', { ...good, x5c: ['!'] }, [`jwk.x5c: ${isNoSpki}`]],
    ['no padding', { ...good, x5c: [good.x5c[0].replace(/=+$/, '')] }, [`jwk.x5c: ${isNoSpki}`]],
    ['a key cut off', { ...good, x5c: [good.x5c[0].slice(0, -8)] }, [`jwk.x5c: ${isNoSpki}`]],
    ['members of both shapes', { ...good, n: 'AQAB', e: 'AQAB' }, ['jwk: unknown members']],
    ['a member of nobody', { ...good, hunter2: 1 }, ['jwk: unknown members']],
    ['no kid', { ...good, kid: undefined }, [expect.stringMatching(/^jwk\.kid: /)]],
  ])('is refused with %s', (_, jwk, said) => {
    expect(complaints(jwk)).toEqual(said)
  })

  test.each<[string, () => string]>([
    ['an EC key', () => spkiBase64(memoryKeyPair('ES256').publicKey.object)],
    [
      'an RSA-PSS key',
      () => spkiBase64(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey),
    ],
    ['a certificate’s first bytes', () => Buffer.from('3082', 'hex').toString('base64')],
    [
      'a private key',
      () =>
        memoryKeyPair('RS256').secret.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    ],
    [
      'a bare RSA key',
      () =>
        memoryKeyPair('RS256')
          .publicKey.object.export({ type: 'pkcs1', format: 'der' })
          .toString('base64'),
    ],
  ])('is refused with %s in x5c', (_, x5c) => {
    expect(complaints({ ...good, x5c: [x5c()] })).toEqual([expect.stringMatching(/^jwk\.x5c: /)])
  })

  test('is refused with an exponent that nobody uses', () => {
    const { n = '' } = key.object.export({ format: 'jwk' })
    const jwk = { kty: 'RSA', n, e: 'Aw' }
    expect(complaints({ ...jwk, kid: good.kid, alg: 'RS256', use: 'sig' })).toEqual([
      'jwk.alg: RSA with an exponent other than 65537',
    ])
  })
})

describe.each(publicAlgorithmNames)('an RFC 7517 JWK for %s', (alg) => {
  const { publicKey } = memoryKeyPair(alg)
  const good = rfcJwk(alg)
  const other = rfcJwk(alg, memoryKeyPair(alg, 'other').publicKey)

  test('is taken', () => {
    const taken = { kid: good.kid, alg, shape: 'rfc7517', spki: publicKey.spki }
    expect(readKey({ jwk: good })).toEqual({ verdict: 'good', key: taken })
  })

  test('is refused under the name of another key, or without one', () => {
    expect(complaints({ ...good, kid: other.kid })).toEqual([`jwk.kid: ${isNoFingerprint}`])
    const { kid: _, ...nameless } = good
    expect(complaints(nameless)).toEqual([expect.stringMatching(/^jwk\.kid: /)])
  })

  test('is refused in any other spelling', () => {
    const spelt = Object.entries(good).filter(([name]) => ['n', 'x', 'y'].includes(name))
    expect(spelt.length).toBeGreaterThan(0)
    for (const [name, value] of spelt) {
      for (const spelling of [`${value}=`, `AA${value}`, `${value} `, value.slice(0, -1)]) {
        expect(complaints({ ...good, [name]: spelling })).not.toEqual([])
      }
    }
  })

  test('is refused for an algorithm that its key is not for', () => {
    const wrong = good.kty === 'EC' || good.kty === 'OKP' ? 'RS256' : 'ES256'
    expect(complaints({ ...good, alg: wrong })).toHaveLength(1)
    for (const name of ['HS256', 'none', '', 'RSA-OAEP']) {
      expect(complaints({ ...good, alg: name })).toEqual([expect.stringMatching(/^jwk\.alg: /)])
    }
  })

  test('is refused with members beyond those that it needs', () => {
    for (const name of ['x5u', 'key_ops', 'ext', 'hunter2']) {
      expect(complaints({ ...good, [name]: ['verify'] })).toEqual(['jwk: unknown members'])
    }
  })
})

test('a point that is not on its curve is no key', () => {
  const jwk = rfcJwk('ES256')
  const x = 'x' in jwk ? jwk.x : ''
  expect(complaints({ ...jwk, y: x })).toEqual([`jwk: ${isNoKey}`])
})

test.each(['secp256k1', 'P-256K', 'X25519', ''])('the curve %j is refused', (crv) => {
  expect(complaints({ ...rfcJwk('ES256'), crv })).toEqual([expect.stringMatching(/^jwk\.crv: /)])
})

test.each([
  ['nothing', undefined],
  ['no object', 'jwk'],
  ['a list', []],
  ['no jwk', {}],
  ['a jwk that is none', { jwk: 'hunter2' }],
  ['a jwk and something else', { jwk: contentfulJwk(orphanRsa()), hunter2: 1 }],
])('a body of %s is refused, and not shown again', (_, body) => {
  const read = readKey(body)
  expect(read.verdict).toBe('bad')
  expect(JSON.stringify(read)).not.toContain('hunter2')
})

test('a key pair is never generated here', () => {
  const message = 'this registry makes no key pairs: make one in a vault, and send its public half'
  const jwk = contentfulJwk(orphanRsa())
  const [asked, both] = [readKey({ generate: true, jwk: {} }), readKey({ generate: true, jwk })]
  const refused = { verdict: 'bad', issues: [{ path: ['generate'], message }] }
  expect([asked, both]).toEqual([refused, refused])
  expect(readKey({ generate: true })).toMatchObject({ verdict: 'bad' })
})

describe('a private member', () => {
  const kinds = [
    ...publicAlgorithmNames.map((alg) => memoryKeyPair(alg).secret),
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  ]
  const privateJwk = (key: KeyObject) => key.export({ format: 'jwk' })

  test('is refused by name, whatever else is there', () => {
    for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
      for (const jwk of [contentfulJwk(orphanRsa()), rfcJwk('ES256'), {}]) {
        expect(complaints({ ...jwk, [name]: 'hunter2' })).toEqual([`jwk.${name}: ${isPrivate}`])
      }
    }
  })

  test('is refused with every private JWK, and never shown: random keys, members and places', () => {
    const pick = fc.constantFrom(...kinds)
    const meta = fc.record({ kid: fc.string(), alg: fc.string(), use: fc.constant('sig') })
    fc.assert(
      fc.property(pick, meta, fc.constantFrom('bare', 'named', 'deep'), (secret, extra, how) => {
        const jwk = privateJwk(secret)
        const place = { bare: jwk, named: { ...extra, ...jwk }, deep: { ...extra, x: jwk } }[how]
        const read = readKey({ jwk: place })
        expect(read.verdict).toBe('bad')
        const shown = JSON.stringify(read)
        const names = ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const
        expect(names.filter((name) => shown.includes(jwk[name] ?? 'no such member'))).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('does not hide in what is taken: of a good key only its public half is kept', () => {
    const taken = publicAlgorithmNames.map((alg) => readKey({ jwk: rfcJwk(alg) }))
    for (const read of taken) {
      if (read.verdict !== 'good') throw new Error('not taken')
      expect(publicKeyFromSpki(read.key.spki).object.type).toBe('public')
    }
  })
})
