import { ServiceError } from '../errors.ts'
import type { Key } from '../keys/key.ts'
import { hasEnded, type VersionState } from '../keys/lifecycle.ts'
import { type KeyVersion, parseVersionName, versionName } from '../keys/version.ts'
import { publicKeyFromSpki } from '../signing/public-key.ts'
import { closeEntry, openEntries } from '../store/journal.ts'
import { listKeyFacts } from '../store/keys.ts'
import { findOrphan, forgetOrphan, type Orphan } from '../store/orphans.ts'
import type { Connection, WriteTransaction } from '../store/store.ts'
import { changeState, findVersion, listVersionsOf, markVersion } from '../store/versions.ts'
import { assertExpected, type Expectation } from './expectation.ts'
import { leftOf } from './left-keys.ts'
import type { CommandDeps } from './revoke.ts'

export type Confirmed = {
  readonly version: string
  /** `orphan` for a key that was left in a vault and is no version. */
  readonly before: VersionState | 'orphan'
  readonly after: VersionState
  /** The word is about its registry and its vault, not about its registry alone. */
  readonly isGone?: boolean
}

type Known = ReadonlyMap<string, Key>

/**
 * A human has seen a version's fingerprint at its registry, which no program can ask: that is its
 * publication.
 *
 * @param version `key@n`.
 * @throws {ServiceError} `usage`; `refused` for another fingerprint, with both, for a key that no human
 *   looks after, and for a version that has ended.
 */
export async function confirmFingerprint(
  deps: CommandDeps,
  keys: Known,
  { version: text, expectation }: { readonly version: string; readonly expectation: Expectation },
): Promise<Confirmed> {
  return confirm(deps, text, async (transaction, version, at) => {
    assertManual(keys, version)
    if (!version.spki) throw refusal(`${text} is symmetric: it has no fingerprint`)
    if (hasEnded(version.state)) throw refusal(`${text} is ${version.state}: it does not come back`)
    assertExpected(publicKeyFromSpki(version.spki), [expectation])
    if (version.state !== 'created') return version.state
    await changeState(transaction.connection, version, 'published', at)
    const reason = `${expectation.name} fingerprint seen at its registry`
    transaction.record(record(deps, text, at, reason, version.state, 'published'))
    return 'published'
  })
}

/**
 * A human has deleted a version where its maker keeps it: nobody trusts it any more. Or an orphan in its
 * vault: nobody is told of it any more. Or what has ended of a key that the configuration no longer has, at
 * its registry and in its vault.
 *
 * @param version `key@n`.
 * @throws {ServiceError} `usage`; `refused` for a key that a program looks after, for the only version that
 *   signs, and for one that has not ended, of a key that is not configured.
 */
export async function confirmDeleted(
  deps: CommandDeps,
  keys: Known,
  { version: text }: { readonly version: string },
): Promise<Confirmed> {
  const named = parseVersionName(text)
  const orphan = named && (await findOrphan(deps.store.connection, named))
  if (orphan) return confirmOrphan(deps, text, orphan)
  if (named && !keys.has(named.key)) return confirmGone(deps, text)
  return confirm(deps, text, async (transaction, version, at) => {
    const key = assertByHand(keys, version)
    const { connection } = transaction
    if (version.state === 'active') {
      await assertAnotherSigns(transaction, key, version)
      await changeState(connection, version, 'retiring', at)
    }
    const from = version.state === 'active' ? { ...version, state: 'retiring' as const } : version
    const isLive = from.state === 'retiring' || from.state === 'published'
    if (from.state === 'created') {
      throw refusal(`${text} never came to its registry: revoke it, if it is not to be used`)
    }
    if (isLive) await changeState(connection, from, 'retired', at)
    if (version.withdrawnAt !== undefined) return version.state
    await markVersion(connection, version, 'withdrawn', at)
    const after = isLive ? 'retired' : version.state
    transaction.record(record(deps, text, at, 'deleted at its registry', version.state, after))
    return after
  })
}

/** Nothing else goes on with it: what is still open of it is closed by this word. */
async function confirmGone(deps: CommandDeps, text: string): Promise<Confirmed> {
  const confirmed = await confirm(deps, text, async (transaction, version, at) => {
    const { connection } = transaction
    const { key, n, state } = version
    if (!hasEnded(state)) {
      throw refusal(
        `The configuration has no key ${key} any more: put it back, or revoke ${text} first`,
      )
    }
    const entries = await openEntries(connection, key)
    for (const { id } of entries.filter((entry) => entry.n === n)) {
      await closeEntry(transaction, id, undefined)
    }
    const left = leftOf(version, await registryOf(connection, key))
    if (!left.isListed && !left.isEnabled) return state
    if (left.isListed) await markVersion(connection, version, 'withdrawn', at)
    if (left.isEnabled) await markVersion(connection, version, 'disabled', at)
    const reason = 'deleted at its registry and in its vault'
    transaction.record(record(deps, text, at, reason, state, state))
    return state
  })
  return { ...confirmed, isGone: true }
}

async function confirmOrphan(
  deps: CommandDeps,
  version: string,
  orphan: Orphan,
): Promise<Confirmed> {
  const at = deps.clock.now()
  await deps.store.writeTransaction(async (transaction) => {
    if (!(await findOrphan(transaction.connection, orphan))) {
      throw refusal(`${version} is no orphan any more: see \`chancery tasks\``)
    }
    await forgetOrphan(transaction, orphan, at)
    const reason = `deleted in its vault, intent ${orphan.intent}`
    transaction.record(record(deps, version, at, reason, 'none', 'destroyed'))
  })
  return { version, before: 'orphan', after: 'destroyed' }
}

type Change = (
  transaction: WriteTransaction,
  version: KeyVersion,
  at: number,
) => Promise<VersionState>

async function confirm(deps: CommandDeps, text: string, change: Change): Promise<Confirmed> {
  const name = parseVersionName(text)
  if (!name) throw new ServiceError('usage', 'A version is named KEY@N, like github-bot@3')
  return deps.store.writeTransaction(async (transaction) => {
    const version = await findVersion(transaction.connection, name.key, name.n)
    if (!version) throw refusal(`There is no version ${text}: see \`chancery keys list\``)
    const after = await change(transaction, version, deps.clock.now())
    return { version: text, before: version.state, after }
  })
}

async function registryOf(connection: Connection, key: string): Promise<string | undefined> {
  return (await listKeyFacts(connection)).find(({ name }) => name === key)?.registry
}

function assertManual(keys: Known, version: KeyVersion): void {
  const { registry } = configured(keys, version)
  if (registry?.kind === 'manual') return
  const why = registry ? 'its registry is asked by `chancery rotate`' : 'it has no registry'
  throw refusal(`${version.key} needs nobody’s word: ${why}`)
}

/** A manual registry, or a portal that has made the secret. */
function assertByHand(keys: Known, version: KeyVersion): Key {
  const key = configured(keys, version)
  const isPortal = key.registry === undefined && key.source === 'imported'
  if (isPortal || key.registry?.kind === 'manual') return key
  throw refusal(`${version.key} needs nobody’s word: \`chancery rotate\` withdraws its versions`)
}

function configured(keys: Known, { key: name }: KeyVersion): Key {
  const key = keys.get(name)
  if (key) return key
  throw refusal(`The configuration has no key ${name} any more: put it back to confirm this`)
}

async function assertAnotherSigns(
  { connection }: WriteTransaction,
  { name }: Key,
  version: KeyVersion,
): Promise<void> {
  const versions = await listVersionsOf(connection, name)
  if (versions.some(({ state, n }) => state === 'active' && n !== version.n)) return
  throw refusal(
    `${versionName(name, version.n)} is the only version of ${name} that signs: import the next one first, or revoke it`,
  )
}

function record(
  { actor }: CommandDeps,
  subject: string,
  at: number,
  reason: string,
  before: VersionState | 'none',
  after: VersionState,
) {
  return { type: 'command', command: 'confirm', at, actor, subject, reason, before, after } as const
}

function refusal(message: string): ServiceError {
  return new ServiceError('refused', message)
}
