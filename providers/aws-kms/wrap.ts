import { constants, createCipheriv, type KeyObject, publicEncrypt, randomBytes } from 'node:crypto'
import { type Bytes, concatBytes } from '../../src/lib/bytes.ts'

/** https://www.rfc-editor.org/rfc/rfc5649#section-3 */
const keyWrapIv = Buffer.from('a65959a6', 'hex')

const kekBytes = 32

/** RSAES_OAEP_SHA_256: encrypted to the vault as it is. */
export function wrapWithOaep(wrappingKey: KeyObject, material: Uint8Array): Bytes {
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const options = { key: wrappingKey, padding, oaepHash: 'sha256' }
  return new Uint8Array(publicEncrypt(options, material))
}

/**
 * RSA_AES_KEY_WRAP_SHA_256, for what is too long for OAEP alone: AES-KWP (RFC 5649) under a key made for
 * this alone, which OAEP then wraps. The wrapped key comes first:
 * https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-encrypt-key-material.html
 */
export function wrapWithAes(wrappingKey: KeyObject, material: Uint8Array): Bytes {
  const kek = randomBytes(kekBytes)
  try {
    const cipher = createCipheriv('id-aes256-wrap-pad', kek, keyWrapIv)
    const wrapped = concatBytes(cipher.update(material), cipher.final())
    return concatBytes(wrapWithOaep(wrappingKey, kek), wrapped)
  } finally {
    kek.fill(0)
  }
}
