import { createPrivateKey, createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { checkMaterial } from '../../src/service/import-material.ts'
import { readExpectation } from '../../src/service/expectation.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import { fingerprints } from '../../src/signing/fingerprint.ts'
import type { KeyImporter } from '../../src/signing/signer.ts'
import { keyOf } from '../support/grant.ts'
import { memoryKey, memoryKeyPair } from '../support/memory-key.ts'

const takesAll: KeyImporter = {
  refusal: () => undefined,
  secretLimits: () => ({ bytesMin: 32, bytesMax: 64 }),
  import: () => Promise.reject(new Error('nothing is uploaded by a check')),
  find: () => Promise.reject(new Error('nothing is looked for by a check')),
  settleMs: 0,
}
const rs256 = keyOf('bot', { algorithm: algorithm('RS256') })
const es256 = keyOf('documents')
const hs256 = keyOf('face', { algorithm: algorithm('HS256') })

const rsaOf = (modulusLength: number, publicExponent = 65_537): KeyObject =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey
const ecOn = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey
const pss = (): KeyObject => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey

function check(key = rs256, given = memoryKey('RS256').secret, importer = takesAll) {
  return checkMaterial(key, given, [], importer)
}

test('a good key pair: its public half is its identity', () => {
  const { publicKey } = memoryKeyPair('RS256')
  expect(check()).toMatchObject({ identity: { spki: publicKey.spki }, change: 'none' })
})

describe('what is weak, or of another kind, is refused before anything is uploaded', () => {
  test.each<[string, typeof rs256, () => KeyObject, string]>([
    ['RSA-1024', rs256, () => rsaOf(1024), 'RSA smaller than 2048 bits'],
    ['e = 3', rs256, () => rsaOf(2048, 3), 'an exponent other than 65537'],
    ['a key typed RSA-PSS', rs256, pss, 'not an RSA key'],
    ['EC for RS256', rs256, () => memoryKey('ES256').secret, 'not an RSA key'],
    ['P-384 for ES256', es256, () => memoryKey('ES384').secret, 'not on P-256'],
    ['secp256k1', es256, () => ecOn('secp256k1'), 'not on P-256'],
    ['an unknown curve', es256, () => ecOn('brainpoolP256r1'), 'not on P-256'],
    ['X25519', es256, () => generateKeyPairSync('x25519').privateKey, 'not an EC key'],
    ['a secret for RS256', rs256, () => memoryKey('HS256').secret, 'takes a private key'],
    ['a private key for HS256', hs256, () => memoryKey('RS256').secret, 'takes a secret'],
    ['a compressed point', es256, compressed, '-conv_form uncompressed'],
  ])('%s', (_, key, given, words) => {
    expect(() => check(key, given())).toThrowError(expect.objectContaining({ code: 'refused' }))
    expect(() => check(key, given())).toThrow(words)
  })

  test('another size than the configuration insists on', () => {
    expect(() => check({ ...rs256, modulusBits: 4096 })).toThrow('RSA of 2048 bits')
  })

  test('a private half that is not that of the public one', () => {
    const { n = '', e = '' } = memoryKey('RS256', 'other').secret.export({ format: 'jwk' })
    const jwk = { ...memoryKey('RS256').secret.export({ format: 'jwk' }), n, e }
    const given = createPrivateKey({ key: jwk, format: 'jwk' })
    expect(() => check(rs256, given)).toThrow('The private half is not that of its public one')
  })
})

test.each(['p', 'q'])('a private key whose number %s is zero is refused as damaged', (name) => {
  const jwk = { ...memoryKey('RS256').secret.export({ format: 'jwk' }), [name]: 'AA' }
  const given = createPrivateKey({ key: jwk, format: 'jwk' })
  const checking = () => check(rs256, given)
  expect(checking).toThrowError(expect.objectContaining({ code: 'refused' }))
  expect(checking).toThrow(/download the key again$/)
})

/** As `openssl ec -conv_form compressed` leaves it. */
function compressed(): KeyObject {
  const input = memoryKey('ES256').secret.export({ type: 'sec1', format: 'pem' })
  const options = ['ec', '-conv_form', 'compressed']
  return createPrivateKey(execFileSync('openssl', options, { input, stdio: 'pipe' }))
}

describe('the order', () => {
  const wrong = readExpectation(`github=${fingerprints(memoryKeyPair('ES384').publicKey).github}`)
  const refuses = { ...takesAll, refusal: () => 'no such keys' }

  test('the wrong file is told as that, however weak it is, and whatever its vault takes', () => {
    const asked = () => checkMaterial(rs256, rsaOf(1024), [wrong], refuses)
    expect(asked).toThrow('This is not the key that was expected: nothing was uploaded')
  })

  test('a weak key is told as that, whatever its vault takes', () => {
    expect(() => checkMaterial(rs256, rsaOf(1024), [], refuses)).toThrow('smaller than 2048')
  })

  test('a vault that cannot take it says so, with its reason', () => {
    expect(() => check(rs256, undefined, refuses)).toThrow(
      'The vault local cannot take this key: no such keys. Nothing was uploaded',
    )
  })
})

describe('secrets', () => {
  const secret = (bytes: number) => createSecretKey(new Uint8Array(bytes).fill(7))

  test.each([
    [20, 'padded', 32],
    [32, 'none', 32],
    [64, 'none', 64],
    [65, 'hashed', 32],
  ])('of %i bytes: %s, to %i, and still the same secret', (given, change, bytes) => {
    const checked = check(hs256, secret(given))
    expect(checked).toMatchObject({ change, publicKey: undefined })
    expect(checked.material.symmetricKeySize).toBe(bytes)
    const fitted = check(hs256, checked.material)
    expect(checked.identity).toEqual(fitted.identity)
  })

  test('a vault without HMAC cannot take one', () => {
    const none = { ...takesAll, secretLimits: () => undefined }
    expect(() => check(hs256, secret(32), none)).toThrow('it takes no secret of HS256')
  })

  test('a vault whose limits no equal secret meets cannot take it', () => {
    const exact = { ...takesAll, secretLimits: () => ({ bytesMin: 32, bytesMax: 32 }) }
    expect(() => check(hs256, secret(40), exact)).toThrow('it takes secrets of 32 to 32 bytes')
  })

  test('a fingerprint cannot be expected of one', () => {
    const some = readExpectation(`github=${fingerprints(memoryKeyPair('ES384').publicKey).github}`)
    expect(() => checkMaterial(hs256, secret(32), [some], takesAll)).toThrow('leave --expect away')
  })
})
