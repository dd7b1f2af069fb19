import { existsSync } from 'node:fs'
import { digestKeyBytes, inputDigest, type InputDigest } from '../audit/input-digest.ts'
import { type ConfigHead, headOf } from '../config/head.ts'
import { configOf, loadConfig } from '../config/load.ts'
import { readConfigSource } from '../config/text.ts'
import { ServiceError } from '../errors.ts'
import { systemClock } from '../lib/clock.ts'
import { readMountedSecret } from '../lib/file.ts'
import { Secret } from '../lib/secret.ts'
import { ulidSource } from '../lib/ulid.ts'
import { assertKeyFacts } from '../service/key-facts.ts'
import type { WriterIdentity } from '../store/chain-writer.ts'
import { openStore, type Store } from '../store/store.ts'
import { type ServiceConfig, vaultRules } from './vaults.ts'

/** What every process has. */
export const clock = systemClock

export function readConfig(file: string): ServiceConfig {
  return loadConfig(file, vaultRules)
}

/** A configuration of which no more has been read than says which store it is. */
export type BegunConfig = {
  readonly head: ConfigHead
  /** The first call reads it; rejects as `readConfig` throws. */
  readonly readWhole: () => Promise<ServiceConfig>
}

/** All of it is read at once only where its head is not to be had otherwise. @throws {ServiceError} `config_invalid`. */
export function beginConfig(file: string): BegunConfig {
  const source = readConfigSource(file)
  const read = () => configOf(source, vaultRules)
  const head = headOf(source)
  if (!head) {
    const whole = read()
    return { head: whole, readWhole: async () => whole }
  }
  let whole: Promise<ServiceConfig> | undefined
  return { head, readWhole: () => (whole ??= (async () => read())()) }
}

/** One process run is one audit writer. */
export function writerIdentity(program: string, { environment }: ConfigHead): WriterIdentity {
  return { writer: ulidSource()(clock.now()), program, environment }
}

/**
 * The store as it is there. Only what makes or serves versions may begin a new one: every other command
 * would take a wrong path for an empty store.
 *
 * @throws {ServiceError} `store_unavailable`, `store_mismatch`.
 */
export async function openExistingStore(
  { store: { sqlite } }: ConfigHead,
  identity: WriterIdentity,
): Promise<Store> {
  if (existsSync(sqlite)) return openStore(sqlite, identity)
  const message = `There is no store at ${sqlite}: correct store.sqlite, or run \`chancery rotate\` to begin one`
  throw new ServiceError('store_unavailable', message)
}

/** The store, migrated, of this environment, and in agreement with the configuration. */
export async function openCheckedStore(
  config: ServiceConfig,
  identity: WriterIdentity,
): Promise<Store> {
  const store = await openStore(config.store.sqlite, identity)
  try {
    await assertKeyFacts(store, config.keys)
    return store
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
}

/** @throws {ServiceError} `config_invalid` for a key file that is missing, shared or of another size. */
export async function readInputDigest({ audit }: ServiceConfig): Promise<InputDigest> {
  const bytes = await readMountedSecret(audit.digestKeyFile, digestKeyBytes)
  if (bytes.length === digestKeyBytes) return inputDigest(new Secret(bytes))
  const message = `${audit.digestKeyFile} is not an audit digest key: it has ${digestKeyBytes} random bytes`
  throw new ServiceError('config_invalid', message)
}
