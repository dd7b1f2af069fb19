import { readFile } from 'node:fs/promises'
import { ServiceError } from '../errors.ts'
import { type Bytes, concatBytes } from '../lib/bytes.ts'
import { errnoOf, tryReadPrivateFile } from '../lib/file.ts'

/** Enough for any key, and for a day's tokens. */
const inputBytesMax = 64 * 1024 * 1024

/**
 * A file's bytes, or those of stdin for `-`.
 *
 * @throws {ServiceError} `usage`.
 */
export async function readInput(file: string): Promise<Uint8Array> {
  const bytes = file === '-' ? await readStdin(inputBytesMax) : await readNamed(file)
  if (bytes.length <= inputBytesMax) return bytes
  throw new ServiceError('usage', `${file} is too large: at most ${inputBytesMax} bytes`)
}

/**
 * A file that nobody else may read, or stdin for `-`. The bytes are for the caller to zero.
 *
 * @throws {ServiceError} `usage`; `refused` for a file that others can read, with the remedy.
 */
export async function readPrivateInput(file: string, bytesMax: number): Promise<Bytes> {
  if (file === '-') {
    const bytes = await readStdin(bytesMax)
    if (bytes.length <= bytesMax) return bytes
    throw new ServiceError('usage', `stdin has more than ${bytesMax} bytes: give the key alone`)
  }
  const read = await tryReadPrivateFile(file, bytesMax)
  if ('bytes' in read) return read.bytes
  const { kind, words, remedy, cause } = read.fault
  const code = kind === 'refused' ? 'refused' : 'usage'
  throw new ServiceError(code, `${file} ${words}: ${remedy}`, { cause })
}

async function readStdin(bytesMax: number): Promise<Bytes> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of process.stdin) {
    chunks.push(Buffer.from(chunk))
    length += chunk.length
    if (length > bytesMax) break
  }
  return concatBytes(...chunks)
}

async function readNamed(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new ServiceError(
      'usage',
      `${file} cannot be read (${errnoOf(cause) ?? 'unknown'}): name a file, or - for stdin`,
      { cause },
    )
  }
}
