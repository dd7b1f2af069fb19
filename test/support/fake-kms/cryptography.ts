import { createHmac, hash, type KeyObject, sign } from 'node:crypto'
import { digestBytes, type Hash, signEcdsa, signPkcs1, signPss } from '../digest-signing.ts'
import { validationFault } from './fault.ts'

export function hashOf(algorithm: string): Hash {
  const found = (['sha256', 'sha384', 'sha512'] as const).find((name) =>
    algorithm.endsWith(name.slice(3)),
  )
  if (!found) throw new Error(`no hash in ${algorithm}`)
  return found
}

/** Node hashes once more whatever it is given: a digest needs hands of its own. */
export function signDigest(secret: KeyObject, algorithm: string, digest: Uint8Array): Uint8Array {
  const name = hashOf(algorithm)
  if (digest.length !== digestBytes[name]) {
    throw validationFault(`Digest is invalid length for algorithm ${algorithm}.`)
  }
  if (algorithm.startsWith('RSASSA_PKCS1')) return signPkcs1(secret, name, digest)
  if (algorithm.startsWith('RSASSA_PSS')) return signPss(secret, name, digest)
  if (algorithm.startsWith('ECDSA')) return signEcdsa(secret, digest, 'der')
  throw validationFault(`${algorithm} takes no digest.`)
}

export function signRaw(secret: KeyObject, algorithm: string, message: Uint8Array): Uint8Array {
  if (algorithm === 'ED25519_SHA_512') return sign(null, message, secret)
  if (algorithm.startsWith('ED25519')) throw validationFault(`${algorithm} takes a digest.`)
  // Node is twenty times as fast as what signs a digest, and holds up nobody in this process.
  if (algorithm.startsWith('ECDSA')) return sign(hashOf(algorithm), message, secret)
  return signDigest(secret, algorithm, hash(hashOf(algorithm), message, 'buffer'))
}

export function macOf(secret: KeyObject, algorithm: string, message: Uint8Array): Uint8Array {
  return createHmac(hashOf(algorithm), secret).update(message).digest()
}
