import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ServiceError } from '../errors.ts'
import { errnoOf } from '../lib/file.ts'

/** A configuration before anybody has parsed it: read once, since a pipe can be read only once. */
export type ConfigSource = {
  /** As it was given. */
  readonly file: string
  readonly absolute: string
  readonly text: string
}

/** @throws {ServiceError} `config_invalid`, with how to come by a configuration. */
export function readConfigSource(file: string): ConfigSource {
  const absolute = resolve(file)
  const remedy = 'name a file with --config, or make one with `chancery init`'
  return { file, absolute, text: readText(absolute, file, remedy) }
}

/** @throws {ServiceError} `config_invalid`, naming the file as it was given. */
export function readText(absolute: string, file: string, remedy: string): string {
  try {
    return readFileSync(absolute, 'utf8')
  } catch (cause) {
    const message = `${file} cannot be read (${errnoOf(cause) ?? 'unknown'}): ${remedy}`
    throw new ServiceError('config_invalid', message, { cause })
  }
}
