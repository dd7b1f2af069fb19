import { loadCatalogues } from '../config/catalogues.ts'
import { ulidSource } from '../lib/ulid.ts'
import { maySign } from '../keys/may-sign.ts'
import { revoke, type Revocation, type RevokeDeps, type Revoked } from '../service/revoke.ts'
import type { Store } from '../store/store.ts'
import { currentActor } from './actor.ts'
import {
  beginConfig,
  type BegunConfig,
  clock,
  openExistingStore,
  writerIdentity,
} from './foundation.ts'

/**
 * Before it is in force it reads no more of the configuration than where the store is, unless a catalogue says
 * who may sign instead. The rest is what registry and vault are told by: it is read in the window that is waited for
 * anyway, and a fault in it is theirs alone.
 *
 * @throws {ServiceError} as `revoke`, `config_invalid`, `store_mismatch`.
 */
export async function revokeIn(configFile: string, asked: Revocation): Promise<Revoked> {
  const { head, readWhole } = beginConfig(configFile)
  await using store = await openExistingStore(head, writerIdentity('revoke', head))
  return await revoke(revocationDeps(readWhole, store), asked)
}

/** What a revocation is made with; no vault is opened, and no credential read, before it is in force. */
export function revocationDeps(readWhole: BegunConfig['readWhole'], store: Store): RevokeDeps {
  return {
    store,
    clock,
    actor: currentActor(),
    newId: ulidSource(),
    async registryOf(name) {
      const { registriesOf } = await import('./registries.ts')
      const config = await readWhole()
      const key = config.keys.get(name)
      return key && registriesOf(config)(key)
    },
    async isConfigured(name) {
      const config = await readWhole().catch(() => undefined)
      return config?.keys.has(name) ?? true // until it can be read, nothing speaks against it
    },
    async readEnabled() {
      const config = await readWhole()
      const keys = Object.fromEntries(loadCatalogues(config.catalogues, config).keys)
      return (version) => maySign(version, { keys })
    },
    async disablerOf(vault) {
      const { openDisabler } = await import('./disablers.ts')
      return openDisabler(await readWhole(), vault)
    },
  }
}
