import type { Config, TlsFiles } from '../config/config.ts'
import { listen, type SignListenOptions } from '../http/listen.ts'
import type { Listener } from '../listener/server.ts'
import { isSameMaterial, readTlsFiles, type TlsMaterial } from '../listener/tls.ts'
import { every } from '../lib/deadline.ts'
import type { Logger } from '../lib/log.ts'
import type { Metrics } from '../ops/metrics.ts'

/** Files are looked at, not watched: mounts replace whole directories under a link. */
const lookEvery = (look: () => Promise<void>) => every(5_000, look)

type SignListenerDeps = {
  readonly requestId: () => string
  readonly measured: Metrics
  readonly log: Logger
  /** Calls back from time to time, until it is disposed of. */
  readonly looking?: (look: () => Promise<void>) => Disposable
}

/**
 * The listener that callers reach, with its certificate renewed as long as it listens.
 *
 * @throws {ServiceError} `config_invalid` for an address or for files that cannot be used.
 */
export async function openSignListener(
  app: Parameters<typeof listen>[0],
  { address, tls: files }: Pick<Config<unknown>['listen']['sign'], 'address' | 'tls'>,
  { requestId, measured, log, looking = lookEvery }: SignListenerDeps,
): Promise<Listener> {
  const tls = files && (await readTlsFiles(files))
  const onRefused: SignListenOptions['onRefused'] = ({ requestId: request, code, status }) => {
    measured.observeRequest({ route: 'none', key: undefined, code, ms: 0 })
    log.info('request', { request, route: 'none', code, status })
  }
  const onForged = () => {
    measured.authenticationFailed('certificate_forged')
    log.info('connection refused', { refusal: 'certificate_forged' })
  }
  const listener = await listen(app, address, { requestId, tls, onRefused, onForged })
  const renewal = files && tls && looking(renewing(files, tls, listener, log))
  return {
    ...listener,
    close(graceMs) {
      renewal?.[Symbol.dispose]()
      return listener.close(graceMs)
    },
  }
}

/** Gives the listener its files again when they have changed, and good ones only. */
function renewing(
  files: TlsFiles,
  first: TlsMaterial,
  to: Listener,
  log: Logger,
): () => Promise<void> {
  let current = first
  let isBad = false
  return async () => {
    try {
      const found = await readTlsFiles(files)
      isBad = false
      if (isSameMaterial(found, current)) return
      to.renew(found)
      current = found
      log.info('certificate renewed')
    } catch (error) {
      // Said once; a certificate and its key are seldom replaced in the same instant.
      if (!isBad) log.error('the new certificate cannot be used: the old one stays', error)
      isBad = true
    }
  }
}
