import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { RegistryDesk } from '../cli/host.ts'
import { loadRegistryConfig } from '../config/registry.ts'
import { ServiceError } from '../errors.ts'
import { systemClock as clock } from '../lib/clock.ts'
import { makePrivateDirectory } from '../lib/file.ts'
import { createApp, createToken, revokeToken } from '../registry/server/desk.ts'
import { listApps } from '../registry/server/store/apps.ts'
import { openRegistryStore } from '../registry/server/store/store.ts'
import { listTokens } from '../registry/server/store/tokens.ts'
import { currentActor } from './actor.ts'

/**
 * The registry's database, for an operator's commands; a server may be running on it.
 *
 * @param mayBegin whether a database that is not there is begun: else it would hide a wrong path.
 * @throws {ServiceError} `config_invalid`, `store_unavailable`, `store_mismatch`.
 */
export async function openRegistryDesk(
  configFile: string,
  mayBegin: boolean,
): Promise<RegistryDesk> {
  const { sqlite } = loadRegistryConfig(configFile)
  if (!mayBegin && !existsSync(sqlite)) throw noDatabase(sqlite)
  await makePrivateDirectory(dirname(sqlite))
  const store = await openRegistryStore(sqlite)
  const deps = () => ({ store, actor: currentActor(), now: clock.now() })
  return {
    createApp: (organization, name) => createApp(deps(), organization, name),
    listApps: (organization) => listApps(store.connection, organization),
    createToken: (organization, role) => createToken(deps(), organization, role),
    listTokens: (organization) => listTokens(store.connection, organization),
    revokeToken: (id) => revokeToken(deps(), id),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

function noDatabase(sqlite: string): ServiceError {
  const remedy =
    'correct sqlite, or begin one with `chancery registry app create` or `registry serve`'
  return new ServiceError('store_unavailable', `There is no registry at ${sqlite}: ${remedy}`)
}
