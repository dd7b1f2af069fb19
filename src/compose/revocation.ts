import { loadCatalogues } from '../config/catalogues.ts'
import { ulidSource } from '../lib/ulid.ts'
import { maySign } from '../keys/may-sign.ts'
import { revoke, type Revocation, type RevokeDeps, type Revoked } from '../service/revoke.ts'
import type { Store } from '../store/store.ts'
import { currentActor } from './actor.ts'
import { clock } from './foundation.ts'
import type { ServiceConfig } from './vaults.ts'

/** @throws {ServiceError} as `revoke`. */
export function revokeIn(config: ServiceConfig, store: Store, asked: Revocation): Promise<Revoked> {
  return revoke(revocationDeps(config, store), asked)
}

/** A catalogue that cannot be read stops no revocation: nobody can say then who may sign instead. */
function enabledIn(config: ServiceConfig): RevokeDeps['isEnabled'] {
  try {
    const keys = Object.fromEntries(loadCatalogues(config.catalogues, config).keys)
    return (version) => maySign(version, { keys })
  } catch {
    return () => false
  }
}

/** What a revocation is made with; no vault is opened, and no credential read, before it is in force. */
export function revocationDeps(config: ServiceConfig, store: Store): RevokeDeps {
  return {
    store,
    clock,
    actor: currentActor(),
    newId: ulidSource(),
    async registryOf(name) {
      const { registriesOf } = await import('./registries.ts')
      const key = config.keys.get(name)
      return key && registriesOf(config)(key)
    },
    isConfigured: (name) => config.keys.has(name),
    isEnabled: enabledIn(config),
    disablerOf: async (vault) => (await import('./disablers.ts')).openDisabler(config, vault),
  }
}
