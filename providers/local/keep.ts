import type { KeyObject } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ServiceError } from '../../src/errors.ts'
import type { Bytes } from '../../src/lib/bytes.ts'
import { createFileDurably, errnoOf } from '../../src/lib/file.ts'
import type { AlgorithmName } from '../../src/signing/algorithms.ts'
import type { LocalConfig } from './config.ts'
import { systemError } from './errors.ts'
import { newestOf, rereadMasterKeys } from './master-key.ts'
import { seal } from './seal.ts'
import { findResources, listResources, resourceOf, sealedBytes } from './sealed-file.ts'

/** A version that is to be kept, and the intent that asks for it. */
type Kept = {
  readonly intentId: string
  /** `key@n`. */
  readonly name: string
  readonly algorithm: AlgorithmName
}

/** PKCS#8 DER and its public half, or the bytes of an HMAC secret. */
export type Made = { readonly material: Bytes; readonly spki?: Bytes }

/**
 * Seals a new version into a file of its own. An intent names at most one file, so that keeping again
 * under the same one returns the first result, and asks `make` for nothing.
 *
 * @param make its material is zeroed when the file is written.
 * @returns the resource.
 * @throws {ServiceError} `refused` for a version that is here under another intent; `vault_*`.
 */
export async function keep(
  config: LocalConfig,
  version: Kept,
  make: () => Promise<Made>,
  signal: AbortSignal,
): Promise<string> {
  const resource = resourceOf(version.name, version.intentId)
  const [earlier] = await findResources(config.directory, version.intentId)
  if (earlier !== undefined) return earlier
  await assertNew(config.directory, version.name, resource)

  const made = await make()
  try {
    signal.throwIfAborted()
    await write(config, version, made, join(config.directory, resource))
    return resource
  } finally {
    made.material.fill(0)
  }
}

/** Out of the `KeyObject` only to be sealed. PKCS#8 DER, or the secret itself, for `keep` to zero. */
export function exportedMaterial(key: KeyObject): Bytes {
  return key.type === 'secret' ? key.export() : key.export({ type: 'pkcs8', format: 'der' })
}

/**
 * A store that asks for a version which this vault has under another intent is not the store that
 * made it: an unmounted volume, or a wrong path, must not replace every identity.
 */
async function assertNew(directory: string, name: string, resource: string): Promise<void> {
  const resources = await listResources(directory)
  const others = resources.filter((other) => other !== resource)
  if (!others.some((other) => other.startsWith(`${name}.`))) return
  const message = `The vault already holds ${name}, which this store does not know: restore the store`
  throw new ServiceError('refused', message)
}

async function write(
  config: LocalConfig,
  { name, algorithm, intentId }: Kept,
  { material, spki }: Made,
  path: string,
): Promise<void> {
  using keys = await rereadMasterKeys(config.masterKeyFile)
  const masterKey = newestOf(keys)
  const header = { version: name, algorithm, intent: intentId, spki }
  const file = seal(header, material, masterKey)
  try {
    await createFileDurably(path, sealedBytes(file), 0o600)
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') return // the same intent, at the same time: the first one counts
    throw systemError('The new key cannot be written', cause)
  }
  try {
    await assertNewest(config, masterKey.id)
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

/**
 * A `rekey` that began before our file was there may have missed it, and would then throw away the
 * only key that opens it. If ours is still the newest master key, every later rekey lists the file.
 */
async function assertNewest(config: LocalConfig, masterKeyId: string): Promise<void> {
  using keys = await rereadMasterKeys(config.masterKeyFile)
  if (newestOf(keys).id === masterKeyId) return
  throw new ServiceError('vault_unavailable', 'The master key is being replaced: try again')
}
