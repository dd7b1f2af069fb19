import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ServiceError } from '../errors.ts'
import type { Bytes } from './bytes.ts'

/** Files that hold secrets, and writing that survives a crash. POSIX permissions: not for Windows. */

/** Why a file or directory is not trusted with a secret. */
export type FileFault = {
  readonly kind: 'missing' | 'refused' | 'unreadable'
  /** Goes on after a subject ("The file …") and names nothing: fit for anyone. */
  readonly words: string
  /** What the operator does about it; names the path. */
  readonly remedy: string
  readonly cause?: unknown
}

export type PrivateFile = { readonly bytes: Bytes } | { readonly fault: FileFault }

/**
 * Reads a small file that only its owner may touch: a regular file (no link, pipe or device), ours,
 * without any right for group or others, at most `bytesMax` bytes. All is checked on the open file,
 * before its first byte is read, so that nothing can be exchanged in between.
 *
 * The bytes are in a buffer of their own: zero it when they have been used.
 */
export function tryReadPrivateFile(path: string, bytesMax: number): Promise<PrivateFile> {
  return readChecked(path, bytesMax, constants.O_NOFOLLOW, sharingFault)
}

/**
 * As `tryReadPrivateFile`, for what an operator configured.
 *
 * @throws {ServiceError} `config_invalid`; the message names the path and the remedy, never contents.
 */
export async function readPrivateFile(path: string, bytesMax: number): Promise<Bytes> {
  return bytesOrError(path, await tryReadPrivateFile(path, bytesMax))
}

/**
 * A secret that somebody else put there, as orchestrators mount them: links are followed, and what
 * root owns may be read by our group (https://kubernetes.io/docs/concepts/configuration/secret:
 * `fsGroup` with `defaultMode: 0440`), but by nobody else.
 *
 * @throws {ServiceError} as `readPrivateFile`.
 */
export async function readMountedSecret(path: string, bytesMax: number): Promise<Bytes> {
  return bytesOrError(path, await readChecked(path, bytesMax, 0, mountFault))
}

async function readChecked(
  path: string,
  bytesMax: number,
  flags: number,
  faultOf: (stats: Sharing, path: string, chmod: string) => FileFault | undefined,
): Promise<PrivateFile> {
  try {
    // A pipe without a writer would block the thread pool; opened this way it is merely no file.
    await using handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | flags)
    const stats = await handle.stat()
    const fault = stats.isFile()
      ? (faultOf(stats, path, 'chmod 600') ?? sizeFault(stats.size, bytesMax, path))
      : refusal('is not a regular file', `put the file itself at ${path}`)
    return fault ? { fault } : await readAll(handle, stats.size, path)
  } catch (cause) {
    return { fault: openingFault(cause, path) }
  }
}

function bytesOrError(path: string, read: PrivateFile): Bytes {
  if ('bytes' in read) return read.bytes
  throw operatorError(path, read.fault)
}

/** A directory of ours, without any right for group or others. */
export async function privateDirectoryFault(path: string): Promise<FileFault | undefined> {
  try {
    const stats = await stat(path)
    if (!stats.isDirectory()) return refusal('is not a directory', `name a directory at ${path}`)
    return sharingFault(stats, path, 'chmod 700')
  } catch (cause) {
    return openingFault(cause, path)
  }
}

/** @throws {ServiceError} `config_invalid`; the message names the path and the remedy. */
export async function assertPrivateDirectory(path: string): Promise<void> {
  const fault = await privateDirectoryFault(path)
  if (fault) throw operatorError(path, fault)
}

/**
 * Makes what is missing of the path, 0700, durably; what exists is left as it is.
 *
 * @throws {ServiceError} `config_invalid`; the message names the path.
 */
export async function makePrivateDirectory(path: string): Promise<void> {
  try {
    const first = await mkdir(path, { recursive: true, mode: 0o700 })
    if (first !== undefined) await syncDirectory(dirname(first))
  } catch (cause) {
    const why = errnoOf(cause) ?? 'unknown'
    throw new ServiceError('config_invalid', `${path} cannot be made (${why})`, { cause })
  }
}

/**
 * Puts a file in place whole or not at all, also through a power failure: temporary file in the same
 * directory, fsync, rename, fsync of the directory. An existing file is replaced. After a failure the
 * temporary file is gone; after a crash one may stay (`<name>.<16 hex>.tmp`), to be ignored.
 *
 * @param mode exact, whatever the umask.
 * @throws Node's own error (`errnoOf`); once the rename is done it may say so though the file is there.
 */
export async function writeFileDurably(
  path: string,
  bytes: Uint8Array,
  mode: number,
): Promise<void> {
  await place(path, bytes, mode, (temporary) => rename(temporary, path))
}

/** As `writeFileDurably`, but never over an existing file: that fails with `EEXIST`. */
export async function createFileDurably(
  path: string,
  bytes: Uint8Array,
  mode: number,
): Promise<void> {
  await place(path, bytes, mode, (temporary) => link(temporary, path))
}

/** Within one directory; an existing file is replaced. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to)
  await syncDirectory(dirname(to))
}

/** `ENOENT` and the like; undefined for what is no system error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

type Sharing = { readonly mode: number; readonly uid: number; readonly gid: number }

function sharingFault({ mode, uid }: Sharing, path: string, chmod: string): FileFault | undefined {
  if (uid !== process.geteuid?.()) {
    const remedy = `run as its owner, or chown ${process.geteuid?.()} ${path}`
    return refusal('belongs to another user', remedy)
  }
  if ((mode & 0o077) === 0) return undefined
  return refusal('is open to other users', `${chmod} ${path}`)
}

/** Others may do nothing with it; our group may read what is root's. */
function mountFault(stats: Sharing, path: string, chmod: string): FileFault | undefined {
  if (stats.uid !== 0) return sharingFault(stats, path, chmod)
  const groups = [process.getegid?.(), ...(process.getgroups?.() ?? [])]
  const allowed = groups.includes(stats.gid) ? 0o740 : 0o700
  if ((stats.mode & 0o777 & ~allowed) === 0) return undefined
  return refusal(
    'is open to other users',
    `${chmod} ${path} (defaultMode: 0440 where it is mounted)`,
  )
}

function sizeFault(bytes: number, bytesMax: number, path: string): FileFault | undefined {
  if (bytes <= bytesMax) return undefined
  return refusal(`is larger than ${bytesMax} bytes`, `look at what is in ${path}`)
}

function refusal(words: string, remedy: string): FileFault {
  return { kind: 'refused', words, remedy }
}

function openingFault(cause: unknown, path: string): FileFault {
  const errno = errnoOf(cause)
  if (errno === undefined) throw cause // a bug, and no fault of the file's
  if (errno === 'ENOENT' || errno === 'ENOTDIR') {
    return { kind: 'missing', words: 'does not exist', remedy: `look for ${path}`, cause }
  }
  if (errno === 'ELOOP') {
    const words = 'is a symbolic link'
    return { kind: 'refused', words, remedy: `put the file itself at ${path}`, cause }
  }
  const words = `cannot be read (${errno})`
  return { kind: 'unreadable', words, remedy: `look at the rights on ${path}`, cause }
}

function operatorError(path: string, { words, remedy, cause }: FileFault): ServiceError {
  return new ServiceError('config_invalid', `${path} ${words}: ${remedy}`, { cause })
}

/** One byte more is asked for than the file had, so that a growing file shows. */
async function readAll(handle: FileHandle, size: number, path: string): Promise<PrivateFile> {
  const buffer = new Uint8Array(size + 1)
  let read = 0
  while (read <= size) {
    const { bytesRead } = await handle.read(buffer, read)
    if (bytesRead === 0) break
    read += bytesRead
  }
  if (read === size) return { bytes: buffer.subarray(0, size) }
  buffer.fill(0)
  const words = 'changed while it was read'
  return { fault: { kind: 'unreadable', words, remedy: `see what else writes ${path}` } }
}

async function place(
  path: string,
  bytes: Uint8Array,
  mode: number,
  put: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`
  try {
    await writeNew(temporary, bytes, mode)
    await put(temporary)
  } finally {
    await rm(temporary, { force: true })
  }
  await syncDirectory(dirname(path))
}

async function writeNew(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  await using handle = await open(path, 'wx', mode)
  await handle.chmod(mode) // the umask may have taken some of it
  await handle.writeFile(bytes)
  await handle.sync()
}

/** A rename is durable only when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  await using handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  await handle.sync()
}
