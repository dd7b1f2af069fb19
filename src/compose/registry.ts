import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { loadRegistryConfig, type RegistryConfig } from '../config/registry.ts'
import { ServiceError } from '../errors.ts'
import { systemClock as clock } from '../lib/clock.ts'
import { errnoOf, makePrivateDirectory, readPrivateFile } from '../lib/file.ts'
import type { Logger } from '../lib/log.ts'
import { ulidSource } from '../lib/ulid.ts'
import { listen } from '../listener/server.ts'
import { registryApp } from '../registry/server/app.ts'
import { ambiguityReply } from '../registry/server/contentful-error.ts'
import { holdServing, openRegistryStore } from '../registry/server/store/store.ts'

/** Longer than the longest deadline of a request. */
const closeGraceMs = 6_000

/** Enough for any key and its certificate chain. */
const pemBytesMax = 65_536

export type Registry = {
  readonly url: string
  /** Stops accepting, finishes what was begun, closes the database. */
  stop(): Promise<void>
}

/**
 * Composes and starts the embedded app registry, a program apart from the service.
 *
 * @throws {ServiceError} `config_invalid`, `store_unavailable`, `store_mismatch`.
 */
export async function startRegistry(configFile: string, log: Logger): Promise<Registry> {
  const config = loadRegistryConfig(configFile)
  const tls = await readTls(config)
  await using started = new AsyncDisposableStack()
  await makePrivateDirectory(dirname(config.sqlite))
  started.use(holdServing(config.sqlite))
  const store = started.use(await openRegistryStore(config.sqlite))

  const newId = ulidSource()
  const app = registryApp({ ...config, store, clock, newId, log })
  const refuse = () => ambiguityReply(newId(clock.now()))
  const listener = await listen(app, { ...config.listen, tls }, refuse)
  const held = started.move()
  return {
    url: listener.url,
    async stop() {
      await listener.close(closeGraceMs)
      await held.disposeAsync()
    },
  }
}

async function readTls({ tls }: RegistryConfig) {
  if (!tls) return undefined
  const key = Buffer.from(await readPrivateFile(tls.keyFile, pemBytesMax))
  return { cert: await readCertificate(tls.certificateFile), key }
}

async function readCertificate(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    const message = `${file} cannot be read (${errnoOf(cause) ?? 'unknown'}): name a PEM file`
    throw new ServiceError('config_invalid', message, { cause })
  }
}
