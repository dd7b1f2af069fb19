import type { Job, SyncedKey } from '../cli/host.ts'
import { ServiceError } from '../errors.ts'
import type { Key } from '../keys/key.ts'
import { hasEnded } from '../keys/lifecycle.ts'
import { versionName } from '../keys/version.ts'
import type { ClockWatch } from '../lib/clock-watch.ts'
import { deadline, within } from '../lib/deadline.ts'
import { silentLogger } from '../lib/log.ts'
import { ulidSource } from '../lib/ulid.ts'
import { indexGrants } from '../policy/decide.ts'
import { driftOf } from '../service/drift.ts'
import { explain, type Explanation } from '../service/explain.ts'
import { OpenedVersions } from '../service/opened-versions.ts'
import type { Store } from '../store/store.ts'
import { listVersions } from '../store/versions.ts'
import { provedCaller } from './authentication.ts'
import { clock } from './foundation.ts'
import { registriesOf } from './registries.ts'
import { forCommands, guardVaults } from './vault-guards.ts'
import { openVaults, type ServiceConfig } from './vaults.ts'

/** What commands ask without changing anything. */

const registriesMs = 20_000

/** Of one key, with all its versions. */
const vaultMs = 20_000

/** @throws {ServiceError} `refused` for a caller that the configuration does not have. */
export async function explainTo(
  { callers, grants }: ServiceConfig,
  store: Store,
  { caller, key, body }: Parameters<Job['explain']>[0],
): Promise<Explanation> {
  const asking = callers.find(({ name }) => name === caller)
  if (!asking) {
    const message = `The configuration has no caller ${caller}: name one of callers`
    throw new ServiceError('refused', message)
  }
  const deps = { store, grants: indexGrants(grants), clock, newId: ulidSource() }
  return explain(deps, { caller: provedCaller(asking), key, body })
}

/** Asks the registries of some keys, side by side; one that does not answer is told with its key. */
export async function askRegistries(
  config: ServiceConfig,
  store: Store,
  keys: readonly Key[],
  clocks: ClockWatch,
): Promise<readonly SyncedKey[]> {
  const registryOf = registriesOf(config, clocks)
  using limit = deadline(registriesMs)
  const asked = keys
    .filter((key) => registryOf(key) !== undefined)
    .map(async (key) => {
      try {
        const versions = await listVersions(store.connection)
        const drift = await driftOf(registryOf(key), key.name, versions, limit.signal)
        return { key: key.name, drift }
      } catch (error) {
        return { key: key.name, error }
      }
    })
  return await Promise.all(asked)
}

/**
 * Has every vault prove again that the versions of some keys can only sign, and are the ones that were
 * recorded; told of those for which it cannot, or does not answer.
 *
 * @param clocks told what the vaults' clocks say, where somebody wants to know.
 */
export async function askVaults(
  config: ServiceConfig,
  store: Store,
  keys: readonly Key[],
  clocks?: ClockWatch,
): Promise<readonly SyncedKey[]> {
  const names = new Set<string>(keys.map(({ name }) => name))
  const versions = (await listVersions(store.connection)).filter(
    ({ key, state }) => names.has(key) && !hasEnded(state),
  )
  const reached = await reach(config, clocks)
  if ('error' in reached) return keys.map((key) => ({ key: key.name, error: reached.error }))
  const { vaults } = guardVaults(reached.opened, config.vaults, forCommands)
  const opened = new OpenedVersions({ vaults, clock, log: silentLogger })
  await Promise.all(versions.map((version) => opened.open(version)))
  return versions.flatMap((version) => {
    const { key, n } = version
    const found = opened.get(version)
    if (!(found instanceof ServiceError)) return []
    const message = `${versionName(key, n)}: ${found.message}`
    return [{ key, error: new ServiceError(found.code, message, { cause: found }) }]
  })
}

async function reach({ vaults }: ServiceConfig, clocks: ClockWatch | undefined) {
  try {
    return { opened: await openVaults(vaults, 'operator', clocks) }
  } catch (error) {
    return { error }
  }
}

/**
 * As `askVaults` of one key, and never rejects: it is looked at in an incident too, where its vault may be
 * what is broken, or does not answer.
 *
 * @returns why its versions cannot be proved; nothing where they are.
 */
export async function askVaultOf(
  config: ServiceConfig,
  store: Store,
  key: Key,
): Promise<readonly unknown[]> {
  const vaults = new Map([...config.vaults].filter(([name]) => name === key.vault))
  using limit = deadline(vaultMs)
  const asked = askVaults({ ...config, vaults }, store, [key])
  try {
    return (await within(asked, limit.signal)).map(({ error }) => error)
  } catch (error) {
    return [error]
  }
}
