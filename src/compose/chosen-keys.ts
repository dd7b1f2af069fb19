import { ServiceError } from '../errors.ts'
import type { Key } from '../keys/key.ts'
import type { ServiceConfig } from './vaults.ts'

/** Those that were named, or all. @throws {ServiceError} `refused` for one that is not configured. */
export function chosenKeys(config: ServiceConfig, names: readonly string[]): readonly Key[] {
  if (names.length === 0) return [...config.keys.values()]
  return names.map((name) => chosenKey(config, name))
}

/** @throws {ServiceError} `refused` for one that is not configured. */
export function chosenKey({ keys }: ServiceConfig, name: string): Key {
  const key = keys.get(name)
  if (key) return key
  throw new ServiceError(
    'refused',
    `The configuration has no key ${name}: name one of keys, or none for all`,
  )
}
