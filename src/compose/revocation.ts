import { ulidSource } from '../lib/ulid.ts'
import type { RevokeDeps } from '../service/revoke.ts'
import type { Store } from '../store/store.ts'
import { currentActor } from './actor.ts'
import { openDisabler } from './disablers.ts'
import { clock } from './foundation.ts'
import { registriesOf } from './registries.ts'
import type { ServiceConfig } from './vaults.ts'

/** What a revocation is made with; no vault is opened, and no credential read, before it is in force. */
export function revocationDeps(config: ServiceConfig, store: Store): RevokeDeps {
  const registryOf = registriesOf(config)
  return {
    store,
    clock,
    actor: currentActor(),
    newId: ulidSource(),
    registryOf: (name) => {
      const key = config.keys.get(name)
      return key && registryOf(key)
    },
    disablerOf: (vault) => openDisabler(config, vault),
  }
}
