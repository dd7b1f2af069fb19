import { instant } from '../lib/clock.ts'
import {
  cutOffDocument,
  cutOffFailures,
  exitCodeWith,
  failuresOf,
  otherFailureAdvice,
  revokedDocuments,
  revokedLines,
  revokedSince,
  strayLines,
} from './catalogued.ts'
import { otherClocks } from './clocks.ts'
import type { Context } from './context.ts'
import { problemOf, worstExitCodeOf } from './failure.ts'
import type { SyncedKey } from './host.ts'
import { leftBehindDocument, leftBehindLines } from './left-behind.ts'

const busyAdvice = 'another job is rotating: its run takes up the catalogues, too'

const switchAdvice =
  'enable its generation again, or run `chancery rotate`, which lets the next one sign where one is ready'

/** Catalogue → versions; then what the registries have is compared with what they were told. */
export async function sync({ host, output, configFile }: Context): Promise<number> {
  await using job = await host.openJob(configFile, 'sync')
  const catalogued = await job.catalogued()
  const found = await job.sync()
  const orphans = await job.orphans()
  const clocks = otherClocks(job)
  const { synced, ignored } = catalogued
  const steps = synced.verdict === 'done' ? synced.steps : []
  const revoked = revokedSince(catalogued, steps)
  const untaken = failuresOf(catalogued)
  const adviceOn = (key: string) =>
    untaken.some((one) => one.key === key) ? otherFailureAdvice : switchAdvice
  const cutOff = synced.verdict === 'busy' ? [] : cutOffFailures(catalogued, adviceOn)
  const failed = [...untaken, ...cutOff]
  const told = new Set(failed.map(saidOf))
  const keys = found.filter((one) => one.error === undefined || !told.has(saidOf(one)))
  const lines = [
    ...revokedLines(revoked),
    ...(synced.verdict === 'busy' ? [busyAdvice] : []),
    ...steps.map(({ version, step }) => `${version} ${step}`),
    ...failed.map(({ key, error }) => `${key} failed: ${problemOf(error).message}`),
    ...strayLines(catalogued),
    ...keys.flatMap(linesOf),
    ...leftBehindLines(orphans),
    ...clocks.lines,
  ]
  const errors = [
    ...failed,
    ...keys.flatMap(({ key, error }) => (error === undefined ? [] : [{ key, error }])),
  ]
  const failures = errors.map(({ key, error }) => ({ key, ...problemOf(error) }))
  const drifts = keys.flatMap(({ key, drift }) => (drift ? [{ key, ...driftDocument(drift) }] : []))
  output.result(lines.length > 0 ? lines : ['no key has a catalogue, or a registry to be asked'], {
    verdict: synced.verdict,
    steps,
    revoked: revokedDocuments(revoked),
    ignored,
    cutOff: cutOffDocument(catalogued),
    keys: drifts,
    failures,
    orphans: leftBehindDocument(orphans),
    ...clocks.members,
  })
  return exitCodeWith(
    revoked,
    worstExitCodeOf([...errors.map(({ error }) => error), ...clocks.errors]),
  )
}

/** A vault that cannot be opened fails a key twice: when its catalogue is taken in, and when it is looked at. */
function saidOf({ key, error }: { readonly key: string; readonly error?: unknown }): string {
  return `${key}: ${problemOf(error).message}`
}

function linesOf({ key, drift, error }: SyncedKey): readonly string[] {
  if (error !== undefined) return [`${key}: ${problemOf(error).message}`]
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
