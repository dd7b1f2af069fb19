import { randomBytes } from 'node:crypto'
import type { Bytes } from '../../src/lib/bytes.ts'
import { aeadKeyBytes, encrypt } from './aead.ts'
import type { MasterKey, MasterKeys } from './master-key.ts'
import { aadOf, openDataKey, type SealedFile, type SealedHeader } from './sealed-file.ts'

/** The writing half of the format, apart from the reading one: `serve` loads no line of it. */

/** @param material PKCS#8 DER, or the bytes of an HMAC secret; the caller zeroes it. */
export function seal(header: SealedHeader, material: Bytes, masterKey: MasterKey): SealedFile {
  const dataKey = randomBytes(aeadKeyBytes)
  const sealed = encrypt(dataKey, material, aadOf(header))
  const wrapped = wrap(header, dataKey, masterKey)
  dataKey.fill(0)
  return { ...header, ...wrapped, format: 'chancery-local-1', sealed }
}

/**
 * The same file under another master key: only the data key is opened, never what it seals.
 *
 * @throws {ServiceError} `vault_key_unusable`.
 */
export function rewrap(file: SealedFile, keys: MasterKeys, to: MasterKey): SealedFile {
  const dataKey = openDataKey(file, keys)
  const wrapped = wrap(file, dataKey, to)
  dataKey.fill(0)
  return { ...file, ...wrapped }
}

function wrap(
  header: SealedHeader,
  dataKey: Uint8Array,
  { id, secret }: MasterKey,
): Pick<SealedFile, 'masterKey' | 'wrappedKey'> {
  return { masterKey: id, wrappedKey: encrypt(secret.reveal(), dataKey, aadOf(header)) }
}
