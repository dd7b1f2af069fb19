import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ServiceError } from '../../src/errors.ts'
import { fingerprintOf, fingerprintsOfFile } from '../../src/service/fingerprint-file.ts'
import { fingerprintNames } from '../../src/signing/fingerprint.ts'
import { fingerprintVectors } from '../support/vectors.ts'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const der = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))

/** Beside each public key of the vectors stands a certificate of it. */
const certificates = new Map(
  z
    .object({ vectors: z.array(z.object({ name: z.string(), certificatePem: z.string() })) })
    .parse(
      JSON.parse(
        readFileSync(new URL('../vectors/fingerprint-vectors.json', import.meta.url), 'utf8'),
      ),
    )
    .vectors.map(({ name, certificatePem }) => [name, certificatePem]),
)

describe.each(fingerprintVectors.vectors)('$name', (vector) => {
  const { name, publicPem, publicDerBase64, jwk, expected } = vector
  const certificatePem = certificates.get(name) ?? ''
  const lines = certificatePem.split('\n').filter((line) => !line.startsWith('-----'))
  const forms: readonly (readonly [string, Uint8Array])[] = [
    ['PEM', bytes(publicPem)],
    ['PEM without its final newline', bytes(publicPem.trimEnd())],
    ['PEM with the line ends of Windows', bytes(publicPem.replaceAll('\n', '\r\n'))],
    ['PEM behind a comment', bytes(`a comment\n${publicPem}`)],
    ['DER', der(publicDerBase64)],
    ['JWK', bytes(JSON.stringify(jwk))],
    [
      'JWK with other members',
      bytes(JSON.stringify({ ...jwk, kid: 'a', use: 'sig', x5c: ['a'] }, null, 2)),
    ],
    ['certificate in PEM', bytes(certificatePem)],
    ['certificate in DER', der(lines.join(''))],
  ]

  test.each(forms)('%s', (_, file) => {
    const { fingerprints } = fingerprintsOfFile(file)
    expect(fingerprints).toEqual({
      contentful: expected.contentfulKid,
      github: expected.githubDisplay,
      icr: expected.icr,
      rfc7638: expected.jwkThumbprint,
      'spki-sha256-hex': expected.spkiSha256HexColon,
      ...(typeof expected.sshSha256 === 'string' ? { ssh: expected.sshSha256 } : {}),
    })
  })
})

describe('a private key', () => {
  const pem = (key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'sec1') =>
    bytes(key.export({ type, format: 'pem' }).toString())
  const binary = (key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'sec1') =>
    new Uint8Array(key.export({ type, format: 'der' }))
  const jwk = (key: KeyObject) => bytes(JSON.stringify(key.export({ format: 'jwk' })))
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
  const ed25519 = generateKeyPairSync('ed25519').privateKey

  test.each<[string, KeyObject, Uint8Array, string]>([
    ['RSA as PKCS#1 PEM, as GitHub gives it', rsa, pem(rsa, 'pkcs1'), 'RSA-2048'],
    ['RSA as PKCS#1 DER', rsa, binary(rsa, 'pkcs1'), 'RSA-2048'],
    ['RSA as PKCS#8 PEM', rsa, pem(rsa, 'pkcs8'), 'RSA-2048'],
    ['RSA as PKCS#8 DER', rsa, binary(rsa, 'pkcs8'), 'RSA-2048'],
    ['RSA as JWK', rsa, jwk(rsa), 'RSA-2048'],
    ['EC as SEC1 PEM', ec, pem(ec, 'sec1'), 'P-384'],
    ['EC as SEC1 DER', ec, binary(ec, 'sec1'), 'P-384'],
    ['EC as PKCS#8 PEM', ec, pem(ec, 'pkcs8'), 'P-384'],
    ['EC as PKCS#8 DER', ec, binary(ec, 'pkcs8'), 'P-384'],
    ['EC as JWK', ec, jwk(ec), 'P-384'],
    ['Ed25519 as PKCS#8 PEM', ed25519, pem(ed25519, 'pkcs8'), 'Ed25519'],
    ['Ed25519 as PKCS#8 DER', ed25519, binary(ed25519, 'pkcs8'), 'Ed25519'],
    ['Ed25519 as JWK', ed25519, jwk(ed25519), 'Ed25519'],
  ])('%s has the fingerprints of its public half', (_, key, file, kind) => {
    const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
    expect(fingerprintsOfFile(file)).toEqual({ ...fingerprintsOfFile(new Uint8Array(spki)), kind })
  })

  test('RSA’s public half as PKCS#1', () => {
    const half = createPublicKey(rsa)
    const ours = fingerprintsOfFile(pem(rsa, 'pkcs8'))
    const text = half.export({ type: 'pkcs1', format: 'pem' }).toString()
    expect(fingerprintsOfFile(bytes(text))).toEqual(ours)
    const file = new Uint8Array(half.export({ type: 'pkcs1', format: 'der' }))
    expect(fingerprintsOfFile(file)).toEqual(ours)
  })
})

describe('what is no such key is refused, and nothing of it is shown', () => {
  const secret = 'hunter2'
  const oct = { kty: 'oct', k: Buffer.from(secret).toString('base64url') }

  test.each<[string, Uint8Array]>([
    ['nothing', bytes('')],
    ['text', bytes(secret)],
    ['JSON', bytes(`{"password":"${secret}"}`)],
    ['a symmetric JWK', bytes(JSON.stringify(oct))],
    ['a JWK set', bytes(JSON.stringify({ keys: [oct] }))],
    ['a JWK with duplicate members', bytes(`{"kty":"RSA","kty":"${secret}"}`)],
    [
      'a PEM of rubbish',
      bytes(`-----BEGIN PUBLIC KEY-----\n${secret}\n-----END PUBLIC KEY-----\n`),
    ],
    ['an encrypted key', bytes(encryptedPem(secret))],
    ['half a key', der(fingerprintVectors.vectors[0]?.publicDerBase64 ?? '').subarray(0, 100)],
    ['zeros', new Uint8Array(1_000)],
    ['X25519, which signs nothing', bytes(publicPemOf('x25519'))],
    [
      'a signing request',
      bytes('-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----'),
    ],
  ])('%s', (_, file) => {
    const refusal = refusalOf(file)
    expect(refusal).toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/^The file holds /),
    })
    expect(refusal.message).not.toContain(secret)
    expect(refusal.message.length).toBeLessThan(150)
  })
})

describe('one of them by its name', () => {
  const [vector] = fingerprintVectors.vectors
  const { fingerprints } = fingerprintsOfFile(bytes(vector?.publicPem ?? ''))

  test.each(fingerprintNames)('%s', (name) => {
    expect(fingerprintOf(fingerprints, name)).toBe(fingerprints[name])
  })

  test.each(['', 'GitHub', 'sha256', 'constructor', '__proto__'])('%j is none', (name) => {
    expect(() => fingerprintOf(fingerprints, name)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: '--format is one of contentful, github, icr, rfc7638, ssh, spki-sha256-hex',
      }),
    )
  })

  test('that a key does not have', () => {
    const secp256k1 = fingerprintVectors.vectors.find(({ name }) => name === 'ec-secp256k1')
    const own = fingerprintsOfFile(bytes(secp256k1?.publicPem ?? '')).fingerprints
    expect(() => fingerprintOf(own, 'ssh')).toThrow(expect.objectContaining({ code: 'usage' }))
  })
})

function refusalOf(file: Uint8Array): Error {
  try {
    fingerprintsOfFile(file)
  } catch (error) {
    if (error instanceof ServiceError) return error
    throw error
  }
  throw new Error('it was taken for a key')
}

function encryptedPem(passphrase: string): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  const cipher = 'aes-256-cbc'
  return privateKey.export({ type: 'pkcs8', format: 'pem', cipher, passphrase }).toString()
}

function publicPemOf(type: 'x25519'): string {
  return generateKeyPairSync(type).publicKey.export({ type: 'spki', format: 'pem' }).toString()
}
