import {
  constants,
  createECDH,
  createHash,
  type KeyObject,
  privateEncrypt,
  randomBytes,
} from 'node:crypto'
import { p256, p384, p521 } from '@noble/curves/nist.js'

/** Node hashes once more whatever it is given: vaults that are given digests need hands of their own. */

export type Hash = 'sha256' | 'sha384' | 'sha512'

export const digestBytes: Readonly<Record<Hash, number>> = { sha256: 32, sha384: 48, sha512: 64 }

export function signPkcs1(secret: KeyObject, name: Hash, digest: Uint8Array): Uint8Array {
  const key = { key: secret, padding: constants.RSA_PKCS1_PADDING }
  return privateEncrypt(key, Buffer.concat([digestInfo[name], digest]))
}

/** https://www.rfc-editor.org/rfc/rfc8017#section-9.2, note 1 */
const digestInfo: Readonly<Record<Hash, Buffer>> = {
  sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  sha384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  sha512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
}

/** EMSA-PSS, https://www.rfc-editor.org/rfc/rfc8017#section-9.1.1; a salt as long as the hash unless told. */
export function signPss(
  secret: KeyObject,
  name: Hash,
  digest: Uint8Array,
  saltBytes = digestBytes[name],
): Uint8Array {
  const modulusBits = secret.asymmetricKeyDetails?.modulusLength ?? 0
  const encodedBytes = Math.ceil((modulusBits - 1) / 8)
  const salt = randomBytes(saltBytes)
  const hashed = createHash(name).update(Buffer.alloc(8)).update(digest).update(salt).digest()
  const block = Buffer.alloc(encodedBytes - hashed.length - 1)
  block[block.length - salt.length - 1] = 1
  salt.copy(block, block.length - salt.length)
  const dbMask = mask(name, hashed, block.length)
  const masked = block.map((byte, at) => byte ^ (dbMask[at] ?? 0))
  // A bit less than the modulus, and so a byte less where that has one bit in its first.
  masked[0] = (masked[0] ?? 0) & (0xff >> (8 * encodedBytes - (modulusBits - 1)))
  const zeros = Buffer.alloc(Math.ceil(modulusBits / 8) - encodedBytes)
  const encoded = Buffer.concat([zeros, masked, hashed, Buffer.of(0xbc)])
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

const curves = {
  'P-256': { noble: p256, node: 'prime256v1' },
  'P-384': { noble: p384, node: 'secp384r1' },
  'P-521': { noble: p521, node: 'secp521r1' },
} as const

/**
 * ECDSA over a digest that is no longer than the order: https://www.rfc-editor.org/rfc/rfc6979#section-2.4,
 * with a random k. The point is Node's to compute, which is a hundred times as fast as JavaScript.
 *
 * @param format `compact` is r || s.
 */
export function signEcdsa(
  secret: KeyObject,
  digest: Uint8Array,
  format: 'der' | 'compact',
): Uint8Array {
  const { crv, d = '' } = secret.export({ format: 'jwk' })
  if (crv !== 'P-256' && crv !== 'P-384' && crv !== 'P-521') throw new Error(`no curve ${crv}`)
  const { noble, node } = curves[crv]
  const { Fn } = noble.Point
  const ephemeral = createECDH(node)
  const point = ephemeral.generateKeys()
  const k = numberIn(ephemeral.getPrivateKey())
  const r = Fn.create(numberIn(point.subarray(1, (point.length + 1) / 2)))
  const rd = Fn.mul(r, numberIn(Buffer.from(d, 'base64url')))
  const s = Fn.mul(Fn.inv(k), Fn.add(Fn.create(numberIn(digest)), rd))
  return new noble.Signature(r, s).toBytes(format)
}

function numberIn(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}
