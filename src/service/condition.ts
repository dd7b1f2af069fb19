import { hasEnded } from '../keys/lifecycle.ts'
import type { KeyVersion } from '../keys/version.ts'
import type { Backlog } from '../store/backlog.ts'

/** How keys are, as far as it is known without asking a vault or a registry. */
export type Condition = {
  readonly keys: readonly KeyCondition[]
  readonly open: Backlog['open']
  readonly processes: number
}

export type KeyCondition = {
  readonly key: string
  /** Since when its present version signs; undefined of a key that has none. */
  readonly signsSinceAt: number | undefined
  /** When the next one is due to sign; undefined where nobody said how often. */
  readonly dueAt: number | undefined
  /** Published versions that wait to be the next one. */
  readonly standby: number
  /** Versions that may become active, times the live processes that have not proved them. */
  readonly unproved: number
  /** Versions that have ended, and that verifiers may still trust. */
  readonly stillListed: number
  /** Versions that sign, and that their catalogue does not let; undefined while no catalogue can be read. */
  readonly cutOff: number | undefined
  /** Keys that interrupted runs have left in its vault, and that are no version. */
  readonly orphans: number
}

/**
 * @param everyMs of a configured key: how often it changes, if anybody said so.
 * @param isCutOff by the catalogues' word; undefined where they cannot be read.
 */
export function conditionOf(
  versions: readonly KeyVersion[],
  { open, unproved, orphans, processes }: Backlog,
  everyMs: ReadonlyMap<string, number | undefined>,
  isCutOff: ((version: KeyVersion) => boolean) | undefined,
): Condition {
  const byKey = Map.groupBy(versions, ({ key }) => key)
  const unprovedOf = new Map(unproved.map(({ key, count }) => [key, count]))
  const orphansOf = new Map(orphans.map(({ key, count }) => [key, count]))
  const keys = [...everyMs].map(([key, every]): KeyCondition => {
    const own = byKey.get(key) ?? []
    const signsSinceAt = own.findLast(({ state }) => state === 'active')?.activatedAt
    const dueAt =
      signsSinceAt === undefined || every === undefined ? undefined : signsSinceAt + every
    return {
      key,
      signsSinceAt,
      dueAt,
      standby: own.filter(({ state }) => state === 'published').length,
      unproved: unprovedOf.get(key) ?? 0,
      orphans: orphansOf.get(key) ?? 0,
      stillListed: own.filter(isStillListed).length,
      cutOff: isCutOff && own.filter((one) => one.state === 'active' && isCutOff(one)).length,
    }
  })
  return { keys, open, processes }
}

/** It was told to somebody, and nobody has said that it is gone there. */
function isStillListed({ state, publishedAt, withdrawnAt }: KeyVersion): boolean {
  return hasEnded(state) && publishedAt !== undefined && withdrawnAt === undefined
}
