import { createPublicKey, hash, randomBytes } from 'node:crypto'
import { type PublicAlgorithm } from '../../src/signing/algorithms.ts'
import { publicJwk } from '../../src/signing/public-jwk.ts'
import { type PublicKey, publicKeyFromSpki, spkiOf } from '../../src/signing/public-key.ts'
import { memoryKeyPair } from './memory-key.ts'

/** A public key of this size that nobody has the private half of: making one takes no time. */
export function orphanRsa(bits = 4096): PublicKey {
  const modulus = randomBytes(bits / 8)
  modulus.writeUInt8(modulus.readUInt8(0) | 0x80, 0)
  modulus.writeUInt8(modulus.readUInt8(bits / 8 - 1) | 1, bits / 8 - 1)
  const jwk = { kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB' }
  return publicKeyFromSpki(spkiOf(createPublicKey({ key: jwk, format: 'jwk' })))
}

/** What Contentful wants, made without any of the code under test. */
export function contentfulJwk({ spki }: PublicKey) {
  const kid = hash('sha256', spki, 'base64url')
  const x5c: [string] = [Buffer.from(spki).toString('base64')]
  return { alg: 'RS256' as const, kty: 'RSA' as const, use: 'sig' as const, kid, x5t: kid, x5c }
}

/** RFC 7517, as the registry takes keys of every public algorithm. */
export function rfcJwk(alg: PublicAlgorithm['name'], key = memoryKeyPair(alg).publicKey) {
  const kid = hash('sha256', key.spki, 'base64url')
  return { ...publicJwk(key), kid, alg, use: 'sig' }
}
