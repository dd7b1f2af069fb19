import { createHmac, randomBytes } from 'node:crypto'
import { ServiceError } from '../../src/errors.ts'
import { type Bytes, encodeBytes } from '../../src/lib/bytes.ts'
import {
  createFileDurably,
  errnoOf,
  readPrivateFile,
  tryReadPrivateFile,
} from '../../src/lib/file.ts'
import { Secret } from '../../src/lib/secret.ts'
import { aeadKeyBytes } from './aead.ts'

/** Wraps data keys. The file holds 32 random bytes and nothing else. */
export type MasterKey = {
  /** Public: names the key in sealed files, and tells nothing about it. */
  readonly id: string
  readonly secret: Secret
}

/** Two exist only while `rekey` is under way or was interrupted. Disposal zeroes them. */
export interface MasterKeys extends Disposable {
  readonly current: MasterKey
  readonly next: MasterKey | undefined
}

/** Where `rekey` keeps the key it is moving to. */
export function nextMasterKeyFile(path: string): string {
  return `${path}.next`
}

/**
 * @throws {ServiceError} `config_invalid`, naming the path and the remedy, for a file that is missing,
 *   shared, no regular file, or not exactly 32 bytes.
 */
export async function readMasterKeys(path: string): Promise<MasterKeys> {
  // In this order: `rekey` ends by renaming the next one over the current one.
  const next = await readIfThere(nextMasterKeyFile(path))
  const current = await readMasterKey(path)
  return {
    current,
    next,
    [Symbol.dispose]() {
      current.secret.reveal().fill(0)
      next?.secret.reveal().fill(0)
    },
  }
}

/** As `readMasterKeys`, to complain at the start about what would fail later. */
export async function assertMasterKeys(path: string): Promise<void> {
  const keys = await readMasterKeys(path)
  keys[Symbol.dispose]()
}

/**
 * As `readMasterKeys`, after the start: the path is then no business of whoever sees the message.
 *
 * @throws {ServiceError} `vault_unavailable`.
 */
export async function rereadMasterKeys(path: string): Promise<MasterKeys> {
  try {
    return await readMasterKeys(path)
  } catch (cause) {
    if (!(cause instanceof ServiceError)) throw cause
    throw new ServiceError('vault_unavailable', 'The master key cannot be read', { cause })
  }
}

/** What new files are sealed under. */
export function newestOf({ current, next }: MasterKeys): MasterKey {
  return next ?? current
}

export function masterKeyNamed(id: string, { current, next }: MasterKeys): MasterKey | undefined {
  return [current, next].find((key) => key?.id === id)
}

/**
 * @throws {ServiceError} `refused` when the file exists: another master key would make every sealed
 *   file useless. `config_invalid` when it cannot be written.
 */
export async function createMasterKey(path: string): Promise<void> {
  const bytes = randomBytes(aeadKeyBytes)
  try {
    await createFileDurably(path, bytes, 0o600)
  } catch (cause) {
    const errno = errnoOf(cause) ?? 'unknown'
    if (errno === 'EEXIST')
      throw new ServiceError(
        'refused',
        `${path} exists already: it is kept; configure another masterKeyFile for a new vault`,
        { cause },
      )
    throw new ServiceError('config_invalid', `${path} cannot be written (${errno})`, { cause })
  } finally {
    bytes.fill(0)
  }
}

async function readIfThere(path: string): Promise<MasterKey | undefined> {
  const read = await tryReadPrivateFile(path, aeadKeyBytes)
  if ('bytes' in read) return masterKey(read.bytes, path)
  return read.fault.kind === 'missing' ? undefined : readMasterKey(path)
}

async function readMasterKey(path: string): Promise<MasterKey> {
  return masterKey(await readPrivateFile(path, aeadKeyBytes), path)
}

function masterKey(bytes: Bytes, path: string): MasterKey {
  if (bytes.length !== aeadKeyBytes) {
    const message = `${path} is no master key: it has ${bytes.length} bytes, not ${aeadKeyBytes}`
    throw new ServiceError('config_invalid', message)
  }
  return { id: masterKeyId(bytes), secret: new Secret(bytes) }
}

/** Not a plain digest: that would be one for any other use of the same bytes, too. */
function masterKeyId(bytes: Bytes): string {
  const mac = createHmac('sha256', bytes).update('chancery-local-1 master key id').digest()
  return encodeBytes(mac.subarray(0, 16), 'base64url')
}
