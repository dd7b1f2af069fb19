import {
  constants,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  generateKeySync,
  type KeyObject,
  sign,
} from 'node:crypto'
import type { Bytes } from '../../src/lib/bytes.ts'
import {
  type Algorithm,
  algorithm,
  algorithmNames,
  type AlgorithmName,
  type PublicAlgorithm,
} from '../../src/signing/algorithms.ts'
import { type PublicKey, publicKeyFromSpki } from '../../src/signing/public-key.ts'
import type { SigningKey } from '../../src/signing/sign.ts'
import type { Signer } from '../../src/signing/signer.ts'
import { signEcdsa, signPkcs1, signPss } from './digest-signing.ts'

/** A vault of one key in this process: real cryptography, and none of the code under test. */
export type MemoryKey = SigningKey & {
  readonly name: AlgorithmName
  /** The private half, with which a test makes the answers of a vault that errs. */
  readonly secret: KeyObject
}

/** Two keys of each kind: only the second can show that the first one matters. */
export type Which = 'one' | 'other'

const kept = new Map<string, KeyObject>()

export function memoryKey(name: AlgorithmName, which: Which = 'one'): MemoryKey {
  return memoryKeyOf(name, secretOf(algorithm(name), which))
}

export function memoryKeyOf(name: AlgorithmName, secret: KeyObject): MemoryKey {
  const row = algorithm(name)
  const publicKey = row.kty === 'oct' ? undefined : publicHalf(secret)
  return { name, algorithm: row, publicKey, secret, signer: memorySigner(secret, publicKey) }
}

/** As `memoryKey`, for the algorithms that have a public half. */
export function memoryKeyPair(
  name: PublicAlgorithm['name'],
  which: Which = 'one',
): MemoryKey & { readonly publicKey: PublicKey; readonly algorithm: PublicAlgorithm } {
  const key = memoryKey(name, which)
  if (!key.publicKey || key.algorithm.kty === 'oct') throw new TypeError(`${name} has no key pair`)
  return { ...key, publicKey: key.publicKey, algorithm: key.algorithm }
}

export const publicAlgorithmNames = algorithmNames.filter(
  (name): name is PublicAlgorithm['name'] => algorithm(name).kty !== 'oct',
)

/** A vault that always answers this, whatever it is asked. */
export function answering(answer: Uint8Array): Signer {
  return {
    publicKey: () => Promise.resolve(undefined),
    sign: () => Promise.resolve(new Uint8Array(answer)),
  }
}

function memorySigner(secret: KeyObject, publicKey: PublicKey | undefined): Signer {
  return {
    publicKey: () => Promise.resolve(publicKey?.spki),
    sign: ({ message, digest }, row) =>
      Promise.resolve(
        message === undefined
          ? digestSignature(secret, row, digest)
          : signWith(secret, row, message),
      ),
  }
}

/** As a cloud does it: with the digest as it is. */
export function digestSignature(secret: KeyObject, row: Algorithm, digest: Uint8Array): Bytes {
  if (row.kty === 'EC') return new Uint8Array(signEcdsa(secret, digest, 'compact'))
  if (row.kty !== 'RSA') throw new TypeError(`${row.name} signs no digests`)
  const signed = row.padding === 'pss' ? signPss : signPkcs1
  return new Uint8Array(signed(secret, row.hash, digest))
}

function signWith(secret: KeyObject, row: Algorithm, message: Uint8Array): Bytes {
  return new Uint8Array(rawSignature(secret, row, message))
}

function rawSignature(key: KeyObject, row: Algorithm, message: Uint8Array): Uint8Array {
  switch (row.kty) {
    case 'RSA': {
      const padding =
        row.padding === 'pss' ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING
      return sign(row.hash, message, { key, padding, saltLength: saltBytes[row.hash] })
    }
    case 'EC':
      return sign(row.hash, message, { key, dsaEncoding: 'ieee-p1363' })
    case 'OKP':
      return sign(null, message, key)
    case 'oct':
      return createHmac(row.hash, key).update(message).digest()
  }
}

/** RFC 7518 §3.5: as long as the hash. Node does not look at it for PKCS#1. */
const saltBytes = { sha256: 32, sha384: 48, sha512: 64 } as const

function secretOf(row: Algorithm, which: Which): KeyObject {
  const kind = row.kty === 'EC' ? row.crv : row.kty
  const id = `${kind} ${which}`
  const secret = kept.get(id) ?? generate(kind)
  kept.set(id, secret)
  return secret
}

function generate(kind: 'RSA' | 'P-256' | 'P-384' | 'P-521' | 'OKP' | 'oct'): KeyObject {
  switch (kind) {
    case 'RSA':
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    case 'OKP':
      return generateKeyPairSync('ed25519').privateKey
    case 'oct':
      return generateKeySync('hmac', { length: 512 })
    case 'P-256':
    case 'P-384':
    case 'P-521':
      return generateKeyPairSync('ec', { namedCurve: kind }).privateKey
  }
}

function publicHalf(secret: KeyObject): PublicKey {
  const spki = createPublicKey(secret).export({ type: 'spki', format: 'der' })
  return publicKeyFromSpki(new Uint8Array(spki))
}
