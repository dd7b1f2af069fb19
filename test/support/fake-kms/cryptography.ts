import {
  constants,
  createHash,
  createHmac,
  hash,
  type KeyObject,
  privateEncrypt,
  randomBytes,
  sign,
} from 'node:crypto'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { validationFault } from './fault.ts'

type Hash = 'sha256' | 'sha384' | 'sha512'

export const digestBytes: Readonly<Record<Hash, number>> = { sha256: 32, sha384: 48, sha512: 64 }

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
  if (algorithm.startsWith('RSASSA_PKCS1')) {
    const key = { key: secret, padding: constants.RSA_PKCS1_PADDING }
    return privateEncrypt(key, Buffer.concat([digestInfo[name], digest]))
  }
  if (algorithm.startsWith('RSASSA_PSS')) return signPss(secret, name, digest)
  if (algorithm.startsWith('ECDSA')) return signEcdsa(secret, digest)
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

/** https://www.rfc-editor.org/rfc/rfc8017#section-9.2, note 1 */
const digestInfo: Readonly<Record<Hash, Buffer>> = {
  sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  sha384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  sha512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
}

/** EMSA-PSS with a salt as long as the hash: https://www.rfc-editor.org/rfc/rfc8017#section-9.1.1 */
function signPss(secret: KeyObject, name: Hash, digest: Uint8Array): Uint8Array {
  const modulusBytes = (secret.asymmetricKeyDetails?.modulusLength ?? 0) / 8
  const salt = randomBytes(digest.length)
  const hashed = createHash(name).update(Buffer.alloc(8)).update(digest).update(salt).digest()
  const block = Buffer.alloc(modulusBytes - digest.length - 1)
  block[block.length - salt.length - 1] = 1
  salt.copy(block, block.length - salt.length)
  const dbMask = mask(name, hashed, block.length)
  const masked = block.map((byte, at) => byte ^ (dbMask[at] ?? 0))
  masked[0] = (masked[0] ?? 0) & 0x7f // one bit less than the modulus
  const encoded = Buffer.concat([masked, hashed, Buffer.of(0xbc)])
  return privateEncrypt({ key: secret, padding: constants.RSA_NO_PADDING }, encoded)
}

/** MGF1: https://www.rfc-editor.org/rfc/rfc8017#appendix-B.2.1 */
function mask(name: Hash, seed: Buffer, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / digestBytes[name]) }, (_, counter) =>
    createHash(name)
      .update(seed)
      .update(Buffer.of(0, 0, 0, counter))
      .digest(),
  )
  return Buffer.concat(blocks)
}

const nobleCurves = { 'P-256': p256, 'P-384': p384, 'P-521': p521 } as const

function signEcdsa(secret: KeyObject, digest: Uint8Array): Uint8Array {
  const { crv, d = '' } = secret.export({ format: 'jwk' })
  if (crv !== 'P-256' && crv !== 'P-384' && crv !== 'P-521') throw new Error(`no curve ${crv}`)
  const options = { prehash: false, lowS: false, format: 'der' } as const
  return nobleCurves[crv].sign(digest, Buffer.from(d, 'base64url'), options)
}
