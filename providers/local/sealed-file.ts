import { hash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type Bytes, decodeBase64url, decodeUtf8, encodeBytes, utf8 } from '../../src/lib/bytes.ts'
import { privateDirectoryFault, tryReadPrivateFile } from '../../src/lib/file.ts'
import { parseJson } from '../../src/lib/json.ts'
import { type AlgorithmName, isAlgorithmName } from '../../src/signing/algorithms.ts'
import { decrypt } from './aead.ts'
import { faultError, keyUnusable, systemError } from './errors.ts'
import { masterKeyNamed, type MasterKeys } from './master-key.ts'

const format = 'chancery-local-1'

/** An RSA-8192 key needs less than 12 KiB of it. */
const fileBytesMax = 65_536

/** `key@n` as `src/keys` writes it, and a ulid or another word that is safe in a file name. */
const resourceName = /^([a-z][a-z0-9-]{0,62}@[1-9]\d{0,8})\.([0-9A-Za-z-]{1,64})\.json$/

const base64url = z.string().min(1).transform(decodeBase64url)

/** README.md says what each member is. */
const sealedFile = z.strictObject({
  format: z.literal(format),
  version: z.string(),
  algorithm: z.custom<AlgorithmName>((name) => typeof name === 'string' && isAlgorithmName(name)),
  intent: z.string(),
  /** DER SubjectPublicKeyInfo; none for HMAC. */
  spki: base64url.optional(),
  masterKey: z.string(),
  wrappedKey: base64url,
  sealed: base64url,
})

export type SealedFile = z.infer<typeof sealedFile>
/** The part that is readable without a key, and bound to what is sealed. */
export type SealedHeader = Pick<SealedFile, 'version' | 'algorithm' | 'intent' | 'spki'>

/**
 * `<key>@<n>.<intentId>.json`: the resource of a version, and the name of its file.
 *
 * @throws {ServiceError} `vault_key_unusable` when the parts make no such name.
 */
export function resourceOf(version: string, intentId: string): string {
  const resource = `${version}.${intentId}.json`
  if (resourceName.test(resource)) return resource
  throw keyUnusable('The version and its intent make no file name', resource)
}

/** Whether it can be the name of a sealed file, and no path to anywhere else. */
export function isResource(name: string): boolean {
  return resourceName.test(name)
}

/** @throws {ServiceError} `vault_denied` or `vault_unavailable`. */
export async function listResources(directory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile() && resourceName.test(entry.name))
    return files.map(({ name }) => name).toSorted()
  } catch (cause) {
    throw systemError('The directory of the vault cannot be read', cause)
  }
}

/** The resources that bear this intent in their name. */
export async function findResources(
  directory: string,
  intentId: string,
): Promise<readonly string[]> {
  const resources = await listResources(directory)
  return resources.filter((resource) => resourceName.exec(resource)?.[2] === intentId)
}

/**
 * Reads one file and checks everything that needs no key: the rights on it and on its directory, its
 * size and form, and that it is the file its name says.
 *
 * @throws {ServiceError} `vault_key_unusable` when one of these does not hold; `vault_denied` or
 *   `vault_unavailable` when it cannot be read at all.
 */
export async function readSealedFile(directory: string, resource: string): Promise<SealedFile> {
  if (!isResource(resource)) throw keyUnusable('No version has such a resource', resource)
  const around = await privateDirectoryFault(directory)
  if (around) throw faultError('The directory of the vault', around)

  const read = await tryReadPrivateFile(join(directory, resource), fileBytesMax)
  if ('fault' in read) throw faultError('The sealed file', read.fault)
  const file = parseSealedFile(read.bytes)
  if (!file) throw keyUnusable('The sealed file is damaged, or something else', resource)
  if (`${file.version}.${file.intent}.json` === resource) return file
  throw keyUnusable('The sealed file is that of another version', resource)
}

/** One version has one text: JSON in this order and this layout, with a final newline. */
export function sealedBytes(file: SealedFile): Bytes {
  const { spki } = file
  const members = {
    format,
    version: file.version,
    algorithm: file.algorithm,
    intent: file.intent,
    ...(spki ? { spki: encodeBytes(spki, 'base64url') } : {}),
    masterKey: file.masterKey,
    wrappedKey: encodeBytes(file.wrappedKey, 'base64url'),
    sealed: encodeBytes(file.sealed, 'base64url'),
  }
  return utf8(`${JSON.stringify(members, undefined, 2)}\n`)
}

/** Undefined for anything but the very bytes that `sealedBytes` writes. */
function parseSealedFile(bytes: Bytes): SealedFile | undefined {
  try {
    const file = sealedFile.parse(parseJson(decodeUtf8(bytes)))
    return Buffer.compare(sealedBytes(file), bytes) === 0 ? file : undefined
  } catch {
    // What the readers say is dropped: it can quote the file, and the file may be a bare private key.
    return undefined
  }
}

/**
 * What both encryptions are bound to, one value a line. None can hold a line break: `version` and
 * `intent` are parts of the file's name. Of a secret not even a digest is here.
 */
export function aadOf({ version, algorithm, intent, spki }: SealedHeader): Bytes {
  const publicDigest = hash('sha256', spki ?? new Uint8Array(), 'hex')
  return utf8([format, version, algorithm, intent, publicDigest].join('\n'))
}

/**
 * The key that this file alone is sealed under, for the caller to zero.
 *
 * @throws {ServiceError} `vault_key_unusable`.
 */
export function openDataKey(file: SealedFile, keys: MasterKeys): Bytes {
  const resource = resourceOf(file.version, file.intent)
  const master = masterKeyNamed(file.masterKey, keys)
  if (!master) throw keyUnusable('The key is sealed under another master key', resource)
  const dataKey = decrypt(master.secret.reveal(), file.wrappedKey, aadOf(file))
  if (dataKey) return dataKey
  throw keyUnusable('The sealed file is damaged or was altered', resource)
}

/**
 * PKCS#8 DER, or the bytes of an HMAC secret, for the caller to zero.
 *
 * @throws {ServiceError} `vault_key_unusable`.
 */
export function unseal(file: SealedFile, keys: MasterKeys): Bytes {
  const dataKey = openDataKey(file, keys)
  const material = decrypt(dataKey, file.sealed, aadOf(file))
  dataKey.fill(0)
  if (material) return material
  const resource = resourceOf(file.version, file.intent)
  throw keyUnusable('The sealed file is damaged or was altered', resource)
}
