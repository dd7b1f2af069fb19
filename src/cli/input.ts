import { readFile } from 'node:fs/promises'
import { ServiceError } from '../errors.ts'
import { concatBytes } from '../lib/bytes.ts'
import { errnoOf } from '../lib/file.ts'

/** Enough for any key, and for a day's tokens. */
const inputBytesMax = 64 * 1024 * 1024

/**
 * A file's bytes, or those of stdin for `-`.
 *
 * @throws {ServiceError} `usage`.
 */
export async function readInput(file: string): Promise<Uint8Array> {
  const bytes = file === '-' ? await readStdin() : await readNamed(file)
  if (bytes.length <= inputBytesMax) return bytes
  throw new ServiceError('usage', `${file} is too large: at most ${inputBytesMax} bytes`)
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of process.stdin) {
    chunks.push(Buffer.from(chunk))
    length += chunk.length
    if (length > inputBytesMax) break
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
