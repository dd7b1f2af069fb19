import { toServiceError } from '../errors.ts'
import { instant } from '../lib/clock.ts'
import type { Context } from './context.ts'
import { worstExitCodeOf } from './failure.ts'
import type { SyncedKey } from './host.ts'

/** Compares what the registries have with what they were told, and reports the difference. */
export async function sync({ host, output, configFile }: Context): Promise<number> {
  await using job = await host.openJob(configFile, 'sync')
  const keys = await job.sync()
  const lines = keys.flatMap(linesOf)
  const failures = keys.flatMap(({ key, error }) =>
    error === undefined
      ? []
      : [{ key, code: toServiceError(error).code, message: messageOf(error) }],
  )
  const drifts = keys.flatMap(({ key, drift }) => (drift ? [{ key, ...driftDocument(drift) }] : []))
  output.result(lines.length > 0 ? lines : ['no key has a registry that can be asked'], {
    keys: drifts,
    failures,
  })
  return worstExitCodeOf(keys.flatMap(({ error }) => (error === undefined ? [] : [error])))
}

function linesOf({ key, drift, error }: SyncedKey): readonly string[] {
  if (error !== undefined) return [`${key}: ${messageOf(error)}`]
  if (drift?.verdict === 'known') return driftLines(key, drift)
  return drift ? [`${key}: unknown, since its registry is looked after by hand`] : []
}

/** Instants as people and other programs read them. */
export function driftDocument(drift: NonNullable<SyncedKey['drift']>): object {
  if (drift.verdict !== 'known') return drift
  const used = drift.used.map(({ name, lastUsedAt }) => ({ name, lastUsedAt: instant(lastUsedAt) }))
  return { ...drift, used }
}

type KnownDrift = Extract<NonNullable<SyncedKey['drift']>, { verdict: 'known' }>

export function driftLines(
  key: string,
  { missing, ended, differing, unknownKids }: KnownDrift,
): readonly string[] {
  const lines = [
    ...missing.map((version) => `${version} is not at its registry: verifiers cannot know it`),
    ...ended.map((version) => `${version} has ended and is still at its registry: delete it there`),
    ...differing.map(
      (version) => `${version} is not what its registry has under its id: delete that there`,
    ),
    ...unknownKids.map((kid) => `${key}: the registry has a key that we do not know, ${kid}`),
  ]
  return lines.length > 0 ? lines : [`${key}: the registry has what it was told`]
}

function messageOf(error: unknown): string {
  return toServiceError(error).message
}
