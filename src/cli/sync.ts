import { instant } from '../lib/clock.ts'
import {
  cataloguedDocument,
  catalogueRun,
  doneLines,
  exitCodeWith,
  failureDocuments,
  failureLines,
  otherFailureAdvice,
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
  const { verdict } = catalogued.synced
  const isBusy = verdict === 'busy'
  const run = catalogueRun(catalogued, { isBusy, steps: [], failures: [] }, (_, hasFailed) =>
    hasFailed ? otherFailureAdvice : switchAdvice,
  )
  const failed = [...run.failed, ...run.cutOff]
  const told = new Set(failed.map(saidOf))
  const keys = found.filter((one) => one.error === undefined || !told.has(saidOf(one)))
  const lines = [
    ...doneLines(run),
    ...(isBusy ? [busyAdvice] : []),
    ...failureLines(failed),
    ...strayLines(catalogued),
    ...keys.flatMap(linesOf),
    ...leftBehindLines(orphans),
    ...clocks.lines,
  ]
  const failures = [
    ...failed,
    ...keys.flatMap(({ key, error }) => (error === undefined ? [] : [{ key, error }])),
  ]
  const drifts = keys.flatMap(({ key, drift }) => (drift ? [{ key, ...driftDocument(drift) }] : []))
  output.result(lines.length > 0 ? lines : ['no key has a catalogue, or a registry to be asked'], {
    verdict,
    steps: run.steps,
    ...cataloguedDocument(catalogued, run),
    keys: drifts,
    failures: failureDocuments(failures),
    orphans: leftBehindDocument(orphans),
    ...clocks.members,
  })
  const errors = [...failures.map(({ error }) => error), ...clocks.errors]
  return exitCodeWith(run.revoked, worstExitCodeOf(errors))
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
