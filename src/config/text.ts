import { readFileSync } from 'node:fs'
import { ServiceError } from '../errors.ts'
import { errnoOf } from '../lib/file.ts'

/** @throws {ServiceError} `config_invalid`, naming the file as it was given. */
export function readText(absolute: string, file: string, remedy: string): string {
  try {
    return readFileSync(absolute, 'utf8')
  } catch (cause) {
    const message = `${file} cannot be read (${errnoOf(cause) ?? 'unknown'}): ${remedy}`
    throw new ServiceError('config_invalid', message, { cause })
  }
}
