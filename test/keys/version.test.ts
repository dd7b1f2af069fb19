import { fingerprints } from '../../src/signing/fingerprint.ts'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyName } from '../../src/keys/key.ts'
import { kidOf } from '../../src/keys/kid.ts'
import { algorithmName, parseVersionName, versionName } from '../../src/keys/version.ts'
import { algorithmNames } from '../../src/signing/algorithms.ts'
import { keyOf } from '../support/grant.ts'
import { publicKeyOfJwk, rfcVectors } from '../support/vectors.ts'

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,62}$/)
const n = fc.integer({ min: 1, max: 999_999_999 })

describe('key@n', () => {
  test('what is written is read back, and nothing else is read as the same version', () => {
    const property = fc.property(name, n, (key, number) => {
      expect(parseVersionName(versionName(key, number))).toEqual({ key, n: number })
    })
    fc.assert(property, { numRuns: 2_000 })
  })

  test('whatever is read is written back as the very same text', () => {
    const text = fc.oneof(
      fc.stringMatching(/^[a-z-]{0,3}@?[0-9]{0,3}$/),
      fc.tuple(fc.string(), fc.string()).map((parts) => parts.join('@')),
    )
    const property = fc.property(text, (candidate) => {
      const read = parseVersionName(candidate)
      expect(read === undefined || versionName(read.key, read.n) === candidate).toBe(true)
    })
    fc.assert(property, { numRuns: 5_000 })
  })

  test.each([
    '',
    'blog',
    '@1',
    'blog@',
    'blog@0',
    'blog@01',
    'blog@-1',
    'blog@+1',
    'blog@1.0',
    'blog@1e3',
    'blog@1000000000',
    'blog@1@1',
    ' blog@1',
    'blog@1 ',
    'blog@1\n',
    'Blog@1',
    'bl_og@1',
    '1blog@1',
    '-blog@1',
    'blög@1',
    'blog@١',
    `${'a'.repeat(64)}@1`,
  ])('%j names no version', (text) => {
    expect(parseVersionName(text)).toBeUndefined()
  })
})

describe('a key name', () => {
  test.each(['a', 'contentful-blog', 'a-', 'a1-b2', 'a'.repeat(63)])('can be %j', (text) => {
    expect(keyName.safeParse(text)).toMatchObject({ success: true, data: text })
  })

  test.each(['', '-a', '1a', 'A', 'a_b', 'a.b', 'a/b', 'a@1', 'a ', 'a\n', 'ä', 'a'.repeat(64), 1])(
    'cannot be %j',
    (text) => {
      expect(keyName.safeParse(text).success).toBe(false)
    },
  )
})

test('an algorithm is one of the thirteen, in exactly that case', () => {
  expect(algorithmNames.filter((alg) => algorithmName.safeParse(alg).success)).toEqual(
    algorithmNames,
  )
  const others = ['none', 'None', '', 'rs256', 'RS256 ', 'RS1', 'ES256K', 'Ed25519', 256, null]
  expect(others.filter((alg) => algorithmName.safeParse(alg).success)).toEqual([])
})

test.each(rfcVectors.thumbprints)(
  'the kid of a public key is its thumbprint: $section',
  (vector) => {
    expect(kidOf(keyOf('blog'), 3, publicKeyOfJwk(vector.jwk))).toBe(vector.thumbprint)
  },
)

test('the kid of a symmetric key is its name, never a digest of the secret', () => {
  expect(kidOf(keyOf('face-sdk'), 3, undefined)).toBe('face-sdk@3')
})

test('the kid of a key in an app of a registry is its contentful fingerprint, whatever its algorithm', () => {
  const registry = { kind: 'app', registry: 'apps', app: 'reports' } as const
  for (const { jwk } of rfcVectors.thumbprints) {
    const publicKey = publicKeyOfJwk(jwk)
    const { contentful } = fingerprints(publicKey)
    expect(kidOf(keyOf('blog', { registry }), 3, publicKey)).toBe(contentful)
  }
})
