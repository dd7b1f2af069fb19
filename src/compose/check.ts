import { existsSync } from 'node:fs'
import { checkKeyFiles } from './authentication.ts'
import { cataloguesOf } from './catalogues.ts'
import { openCheckedStore, readConfig, readInputDigest, writerIdentity } from './foundation.ts'
import { readTlsFiles } from '../listener/tls.ts'
import { openVaults, type ServiceConfig } from './vaults.ts'

/**
 * Everything that can be checked without a network: the file, then the secrets and vaults it names,
 * then the store if there is one; a check makes none.
 *
 * @throws {ServiceError} `config_invalid`, `store_unavailable`, `store_mismatch`.
 */
export async function checkConfig(configFile: string): Promise<ServiceConfig> {
  const config = readConfig(configFile)
  await readInputDigest(config)
  await openVaults(config.vaults, 'operator')
  await checkKeyFiles(config.callers)
  cataloguesOf(config)
  if (config.listen.sign.tls) await readTlsFiles(config.listen.sign.tls)
  if (existsSync(config.store.sqlite)) {
    const store = await openCheckedStore(config, writerIdentity('config', config))
    await store[Symbol.asyncDispose]()
  }
  return config
}
