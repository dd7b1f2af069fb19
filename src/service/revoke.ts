import { ServiceError } from '../errors.ts'
import type { VersionState } from '../keys/lifecycle.ts'
import { type KeyVersion, parseVersionName, versionName } from '../keys/version.ts'
import type { Clock } from '../lib/clock.ts'
import { pause } from '../lib/deadline.ts'
import type { Connection, Store, WriteTransaction } from '../store/store.ts'
import { changeState, findVersion, listVersionsOf } from '../store/versions.ts'
import { type Enabled, enabledBeside, type IsEnabled, successorOf } from './promotion.ts'
import {
  type Intents,
  openSecondLine,
  type SecondLine,
  type SecondLineDeps,
  secondLine,
} from './second-line.ts'
import { releaseWindowMs } from './release-window.ts'

/** From the last look at the clock to the socket: a batch's worth of answers, on a busy core. */
const handOverMs = 250

const windowMs = releaseWindowMs + handOverMs

/** Registry and vault have as long as the window, from when it is known where they are; the rest is the job's. */
const secondLineMs = windowMs

export type CommandDeps = {
  readonly store: Store
  readonly clock: Clock
  /** The operating system's word on who runs this. */
  readonly actor: string
  /** Waits in real time unless told otherwise. */
  readonly pause?: (ms: number) => Promise<void>
}

export type RevokeDeps = CommandDeps &
  SecondLineDeps & {
    /** Whether a job goes on with what registry and vault of a key have not done. Never rejects. */
    readonly isConfigured: (key: string) => Promise<boolean>
    /** May reject: the revocation is made all the same. */
    readonly readEnabled: () => Promise<IsEnabled>
    /** How long registry and vault have: as long as the window unless told otherwise. */
    readonly secondLineMs?: number
  }

export type Revocation = {
  /** `key@n`. */
  readonly version: string
  readonly reason: string
  /** Leaves the key without a version that signs, whatever is ready to take over. */
  readonly isWithoutPromotion?: boolean
}

export type Revoked = SecondLine & {
  readonly version: string
  readonly before: VersionState
  /** `key@n` of the standby that signs from now on. */
  readonly promoted: string | undefined
  /** `key@n` of a version that signs from now on: the standby, or one that signed beside it. */
  readonly signing: string | undefined
  /** Why nobody can say which version may sign instead, where none does. */
  readonly promotionError: ServiceError | undefined
  /** Of a key that is not, a job does nothing. */
  readonly isConfigured: boolean
  /** Epoch milliseconds: no signature by the version can leave any process on this store after it. */
  readonly nothingAfter: number
}

/**
 * Revokes a version, for ever and at once, and lets the standby sign in the same transaction. After the
 * commit no intent that relies on the version can commit (R1), and after the release window no signature
 * can leave (R2). Returns after that window (R3); its registry and its vault are told meanwhile, and what
 * they do not do in their time is left to the job.
 *
 * @throws {ServiceError} `usage`, `refused` for a version that does not exist, `store_unavailable`.
 */
export async function revoke(deps: RevokeDeps, revocation: Revocation): Promise<Revoked> {
  const named = parseVersionName(revocation.version)
  if (!named) throw new ServiceError('usage', 'A version is named KEY@N, like contentful-blog@3')
  const { reason, isWithoutPromotion = false } = revocation
  const enabled = isWithoutPromotion
    ? undefined
    : await enabledBeside(deps.store, named, deps.readEnabled)
  const begun = await deps.store.writeTransaction(async (transaction) => {
    const found = await findVersion(transaction.connection, named.key, named.n)
    if (!found) throw unknown(named)
    const promoted = await end(deps, transaction, found, { reason, enabled })
    const signing = await signingOf(transaction.connection, named.key)
    return { found, promoted, signing, intents: await openSecondLine(deps, transaction, found) }
  })
  const { found, promoted, intents } = begun
  const [nothingAfter, done] = await Promise.all([windowEnd(deps), tell(deps, found, intents)])
  const { signing } = begun
  const promotionError = signing === undefined ? enabled?.unreadable : undefined
  const next = { promoted, signing, promotionError }
  return { ...done, ...next, version: nameOf(found), before: found.state, nothingAfter }
}

/** Registry and vault have all of their time: the configuration, which says where they are, is read before it. */
async function tell(deps: RevokeDeps, found: KeyVersion, intents: Intents) {
  const isConfigured = await deps.isConfigured(found.key)
  const told = await secondLine(deps, found, intents, deps.secondLineMs ?? secondLineMs)
  return { ...told, isConfigured }
}

/**
 * @param enabled undefined where nobody is to be promoted.
 * @returns the version that signs instead, if there is one.
 */
async function end(
  deps: CommandDeps,
  transaction: WriteTransaction,
  found: KeyVersion,
  { reason, enabled }: { readonly reason: string; readonly enabled: Enabled | undefined },
): Promise<string | undefined> {
  if (found.state === 'revoked') return undefined
  const { connection } = transaction
  const at = deps.clock.now()
  const { actor } = deps
  const command = { type: 'command', command: 'revoke', at, actor, reason } as const
  await changeState(connection, found, 'revoked', at)
  transaction.record({
    ...command,
    subject: nameOf(found),
    before: found.state,
    after: 'revoked',
  })
  const next = enabled && (await successorOf(connection, found, enabled.isEnabled))
  if (!next) return undefined
  await changeState(connection, next, 'active', at)
  transaction.record({ ...command, subject: nameOf(next), before: next.state, after: 'active' })
  return nameOf(next)
}

async function signingOf(connection: Connection, key: string): Promise<string | undefined> {
  const versions = await listVersionsOf(connection, key)
  const signing = versions.find(({ state }) => state === 'active')
  return signing && nameOf(signing)
}

/** Waits until nothing that was permitted before now can still be released. */
export async function windowEnd({ clock, pause: wait = pause }: CommandDeps): Promise<number> {
  const until = clock.now() + windowMs
  await wait(windowMs)
  return until
}

function unknown({ key, n }: Pick<KeyVersion, 'key' | 'n'>): ServiceError {
  const message = `There is no version ${versionName(key, n)}: see \`chancery keys list\``
  return new ServiceError('refused', message)
}

function nameOf({ key, n }: KeyVersion): string {
  return versionName(key, n)
}
