import { ServiceError } from '../errors.ts'
import type { VersionState } from '../keys/lifecycle.ts'
import { parseVersionName, versionName } from '../keys/version.ts'
import type { Clock } from '../lib/clock.ts'
import { pause } from '../lib/deadline.ts'
import type { Store } from '../store/store.ts'
import { changeState, findVersion } from '../store/versions.ts'
import { releaseWindowMs } from './sign.ts'

/** From the last look at the clock to the socket: a batch's worth of answers, on a busy core. */
const handOverMs = 250

export type CommandDeps = {
  readonly store: Store
  readonly clock: Clock
  /** The operating system's word on who runs this. */
  readonly actor: string
  /** Waits in real time unless told otherwise. */
  readonly pause?: (ms: number) => Promise<void>
}

export type Revoked = {
  readonly version: string
  readonly before: VersionState
  /** Epoch milliseconds: no signature by the version can leave any process on this store after it. */
  readonly nothingAfter: number
}

/**
 * Revokes a version, for ever and at once: after the commit no intent that relies on it can commit
 * (R1), and after the release window no signature can leave (R2). Returns after that window (R3).
 *
 * @param version `key@n`.
 * @throws {ServiceError} `usage`, `refused` for a version that does not exist, `store_unavailable`.
 */
export async function revoke(
  deps: CommandDeps,
  { version: text, reason }: { readonly version: string; readonly reason: string },
): Promise<Revoked> {
  const version = parseVersionName(text)
  if (!version) throw new ServiceError('usage', 'A version is named KEY@N, like contentful-blog@3')
  const name = versionName(version.key, version.n)
  const before = await deps.store.writeTransaction(async (transaction) => {
    const found = await findVersion(transaction.connection, version.key, version.n)
    if (!found)
      throw new ServiceError('refused', `There is no version ${name}: see \`chancery keys list\``)
    if (found.state === 'revoked') return found.state
    const at = deps.clock.now()
    await changeState(transaction.connection, found, 'revoked', at)
    const { actor } = deps
    const change = { subject: name, before: found.state, after: 'revoked' } as const
    transaction.record({ type: 'command', command: 'revoke', at, actor, reason, ...change })
    return found.state
  })
  return { version: name, before, nothingAfter: await windowEnd(deps) }
}

/** Waits until nothing that was permitted before now can still be released. */
export async function windowEnd({ clock, pause: wait = pause }: CommandDeps): Promise<number> {
  const waitMs = releaseWindowMs + handOverMs
  const end = clock.now() + waitMs
  await wait(waitMs)
  return end
}
