import { type ServiceError, toServiceError } from '../errors.ts'
import { mayBeSwitchedTo } from '../keys/lifecycle.ts'
import { standbyOf } from '../keys/standby.ts'
import { type KeyVersion, versionName } from '../keys/version.ts'
import { registryKindOf } from '../store/keys.ts'
import type { Connection, Store } from '../store/store.ts'
import { readSuspensions } from '../store/suspensions.ts'
import { listVersionsOf } from '../store/versions.ts'

/** What the catalogues say of a provisioned version now: only an enabled one may be promoted. */
export type IsEnabled = (version: KeyVersion) => boolean

/** Where it cannot be read, nobody can say who may sign instead, and no provisioned version does. */
export type Enabled = { readonly isEnabled: IsEnabled; readonly unreadable?: ServiceError }

const nobody: IsEnabled = () => false

/**
 * What catalogues say of the versions beside one that is to be revoked. They are files, and so are read before
 * the write lock is taken; and only where one of their versions stands by for one that signs.
 *
 * @throws {ServiceError} `store_unavailable`.
 */
export async function enabledBeside(
  { connection }: Store,
  { key, n }: Pick<KeyVersion, 'key' | 'n'>,
  readEnabled: () => Promise<IsEnabled>,
): Promise<Enabled> {
  const versions = await listVersionsOf(connection, key)
  const isSigning = versions.some((version) => version.n === n && version.state === 'active')
  const standsBy = ({ source, state }: KeyVersion) =>
    source === 'provisioned' && mayBeSwitchedTo(state)
  if (!isSigning || !versions.some(standsBy)) return { isEnabled: nobody }
  try {
    return { isEnabled: await readEnabled() }
  } catch (error) {
    return { isEnabled: nobody, unreadable: toServiceError(error) }
  }
}

/** The version to promote, only of one that signed, and where no other one signs beside it. */
export async function successorOf(
  connection: Connection,
  { key, state }: KeyVersion,
  isEnabled: IsEnabled,
): Promise<KeyVersion | undefined> {
  const versions = await listVersionsOf(connection, key)
  if (state !== 'active' || versions.some((version) => version.state === 'active')) return undefined
  const has = await readSuspensions(connection)
  const able = versions.filter((version) => version.source !== 'provisioned' || isEnabled(version))
  return standbyOf(able, {
    isPublishedFirst: (await registryKindOf(connection, key)) !== 'none',
    isSuspended: ({ n }) => has({ kind: 'version', name: versionName(key, n) }),
  })
}
