import {
  createPublicKey,
  createSecretKey,
  ECDH,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { algorithm, algorithmNames } from '../../src/signing/algorithms.ts'
import {
  algorithmMismatch,
  assertFits,
  describeKey,
  publicKeyFromSpki,
  spkiOf,
} from '../../src/signing/public-key.ts'
import { memoryKeyPair, publicAlgorithmNames } from '../support/memory-key.ts'
import { fingerprintVectors } from '../support/vectors.ts'

const p256 = memoryKeyPair('ES256').publicKey
const rsa = memoryKeyPair('RS256').publicKey

/** A public key needs no factors: any odd modulus of that many bits will do. */
function rsaOfBits(bits: number): KeyObject {
  const modulus = Buffer.alloc(bits / 8, 0xff).toString('base64url')
  return createPublicKey({ key: { kty: 'RSA', n: modulus, e: 'AQAB' }, format: 'jwk' })
}

function vectorKey(name: string): KeyObject {
  const vector = fingerprintVectors.vectors.find((one) => one.name === name)
  return createPublicKey(vector?.publicPem ?? '')
}

describe('reading', () => {
  test('the SPKI that comes in is the one that is kept', () => {
    expect(publicKeyFromSpki(p256.spki).spki).toEqual(p256.spki)
    expect(publicKeyFromSpki(p256.spki).object.type).toBe('public')
  })

  test.each([
    ['nothing', new Uint8Array()],
    ['no DER', Buffer.from('not a key')],
    ['a private key', memoryKeyPair('ES256').secret.export({ type: 'pkcs8', format: 'der' })],
    ['an RSA private key', memoryKeyPair('RS256').secret.export({ type: 'pkcs8', format: 'der' })],
    ['a PKCS#1 public key', rsa.object.export({ type: 'pkcs1', format: 'der' })],
    ['a PEM', Buffer.from(p256.object.export({ type: 'spki', format: 'pem' }))],
    ['a trailing byte', Buffer.concat([p256.spki, Buffer.of(0)])],
    ['a byte too few', p256.spki.subarray(0, -1)],
    ['a length in its long form', Buffer.concat([Buffer.of(0x30, 0x81), p256.spki.subarray(1)])],
    ['a point off the curve', withLastByteFlipped(p256.spki)],
    ['a compressed point', withPoint('compressed')],
    ['a hybrid point', withPoint('hybrid')],
  ])('%s is refused: one key pair has one SPKI', (_, spki) => {
    expect(() => publicKeyFromSpki(spki)).toThrow(
      expect.objectContaining({
        code: 'vault_key_unusable',
        message: 'The public key cannot be read',
      }),
    )
  })
})

function withLastByteFlipped(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy.set([(copy.at(-1) ?? 0) ^ 1], copy.length - 1)
  return copy
}

/** The same public key, with its point written in another form of SEC 1 §2.3.3. */
function withPoint(form: 'compressed' | 'hybrid'): Uint8Array {
  const point = ECDH.convertKey(p256.spki.subarray(-65), 'prime256v1', undefined, undefined, form)
  const head = Buffer.from(p256.spki.subarray(0, -65))
  const shorter = 65 - point.length
  head.writeUInt8(head.readUInt8(1) - shorter, 1)
  head.writeUInt8(head.readUInt8(24) - shorter, 24)
  return Buffer.concat([head, Buffer.from(point)])
}

describe('one key, one algorithm', () => {
  test.each(publicAlgorithmNames)('%s takes its own kind of key', (name) => {
    expect(assertFits(memoryKeyPair(name).publicKey.object, algorithm(name))).toBeUndefined()
  })

  test.each(publicAlgorithmNames)('%s takes no key of another kind', (name) => {
    const wanted = memoryKeyPair(name).algorithm
    const strangers = publicAlgorithmNames
      .map((other) => memoryKeyPair(other))
      .filter(({ algorithm: { kty, ...row } }) => {
        const sameCurve = 'crv' in row && 'crv' in wanted ? row.crv === wanted.crv : true
        return kty !== wanted.kty || !sameCurve
      })
    expect(strangers.length).toBeGreaterThan(0)
    for (const { publicKey } of strangers) {
      expect(() => assertFits(publicKey.object, wanted)).toThrow(
        expect.objectContaining({ code: 'vault_key_unusable' }),
      )
    }
  })

  test.each([
    ['RS256', 'RSA smaller than 2048 bits', rsaOfBits(1024)],
    ['PS256', 'RSA smaller than 2048 bits', rsaOfBits(2040)],
    ['RS256', 'RSA larger than 8192 bits', rsaOfBits(8200)],
    ['RS256', 'RSA with an exponent other than 65537', vectorKey('rsa-2048-e3')],
    ['PS256', 'not an RSA key', rsaPss()],
    ['RS256', 'not an RSA key', rsaPss()],
    ['RS256', 'not an RSA key', p256.object],
    ['ES256', 'not an EC key', rsa.object],
    ['ES256', 'not on P-256', vectorKey('ec-p384')],
    ['ES256', 'not on P-256', vectorKey('ec-secp256k1')],
    ['EdDSA', 'not an Ed25519 key', generateKeyPairSync('ed448').publicKey],
    ['EdDSA', 'not an Ed25519 key', generateKeyPairSync('x25519').publicKey],
  ] as const)('%s refuses a key that is wrong for it: %s', (name, mismatch, object) => {
    expect(algorithmMismatch(object, memoryKeyPair(name).algorithm)).toBe(mismatch)
    expect(() => assertFits(object, algorithm(name))).toThrow(
      expect.objectContaining({
        code: 'vault_key_unusable',
        message: `The key does not fit ${name}: ${mismatch}`,
      }),
    )
  })

  test('an HMAC takes no public key, and no secret shorter than its hash', () => {
    const secret = (bytes: number) => createSecretKey(Buffer.alloc(bytes, 7))
    const row = algorithm('HS512')
    expect(algorithmMismatch(secret(64), row)).toBeUndefined()
    expect(algorithmMismatch(secret(63), row)).toBe('a secret shorter than 64 bytes')
    expect(algorithmMismatch(p256.object, row)).toBe('not a secret')
  })

  test.each([2048, 3072, 4096, 8192])('RSA of %i bits is taken', (bits) => {
    expect(algorithmMismatch(rsaOfBits(bits), memoryKeyPair('PS512').algorithm)).toBeUndefined()
  })
})

function rsaPss(): KeyObject {
  return generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey
}

test.each([
  [rsaOfBits(3072), 'RSA-3072'],
  [p256.object, 'P-256'],
  [memoryKeyPair('ES512').publicKey.object, 'P-521'],
  [memoryKeyPair('EdDSA').publicKey.object, 'Ed25519'],
  [vectorKey('ec-secp256k1'), 'another kind of key'],
])('a key is described in words: %#', (object, words) => {
  expect(describeKey(object)).toBe(words)
})

test('the table has thirteen algorithms, each found by its name', () => {
  expect(algorithmNames).toHaveLength(13)
  expect(algorithmNames.map((name) => algorithm(name).name)).toEqual(algorithmNames)
})

test('the SPKI of a key is what node and openssl write', () => {
  const [vector] = fingerprintVectors.vectors
  const spki = spkiOf(createPublicKey(vector?.publicPem ?? ''))
  expect(Buffer.from(spki).toString('base64')).toBe(vector?.publicDerBase64)
})
