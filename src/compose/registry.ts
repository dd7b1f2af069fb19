import { dirname } from 'node:path'
import { loadRegistryConfig } from '../config/registry.ts'
import { systemClock as clock } from '../lib/clock.ts'
import { makePrivateDirectory } from '../lib/file.ts'
import type { Logger } from '../lib/log.ts'
import { ulidSource } from '../lib/ulid.ts'
import { listen } from '../listener/server.ts'
import { readTlsFiles } from '../listener/tls.ts'
import { registryApp } from '../registry/server/app.ts'
import { ambiguityReply } from '../registry/server/contentful-error.ts'
import { holdServing, openRegistryStore } from '../registry/server/store/store.ts'

/** Longer than the longest deadline of a request. */
const closeGraceMs = 6_000

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
  const tls = config.tls && (await readTlsFiles(config.tls))
  await using started = new AsyncDisposableStack()
  await makePrivateDirectory(dirname(config.sqlite))
  started.use(holdServing(config.sqlite))
  const store = started.use(await openRegistryStore(config.sqlite))

  const newId = ulidSource()
  const app = registryApp({ ...config, store, clock, newId, log })
  const refuse = () => ambiguityReply(newId(clock.now()))
  const listener = await listen(app, config.listen, { refuse, tls })
  const held = started.move()
  return {
    url: listener.url,
    async stop() {
      await listener.close(closeGraceMs)
      await held.disposeAsync()
    },
  }
}
