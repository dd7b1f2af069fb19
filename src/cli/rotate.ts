import { type ErrorCode, ServiceError, toServiceError } from '../errors.ts'
import type { RotationResult } from '../rotation/rotate.ts'
import type { LeftBehind } from '../service/left-behind.ts'
import {
  cutOffDocument,
  cutOffFailures,
  exitCodeWith,
  failuresOf,
  failuresSince,
  otherFailureAdvice,
  revokedDocuments,
  revokedLines,
  revokedSince,
  strayLines,
} from './catalogued.ts'
import { otherClocks } from './clocks.ts'
import type { Context } from './context.ts'
import { exitCodes, problemOf, worstExitCodeOf } from './failure.ts'
import type { Job, Planned, PlannedStep, RotationWish } from './host.ts'
import { leftBehindDocument, leftBehindLines } from './left-behind.ts'
import { isWorthSaying, stepWords } from './rotation-words.ts'

export type RotateOptions = {
  readonly now?: boolean
  readonly emergency?: boolean
  readonly dryRun?: boolean
  readonly forceSwitch?: boolean
}

export async function rotate(
  context: Context,
  names: readonly string[],
  { now = false, emergency = false, dryRun = false, forceSwitch = false }: RotateOptions,
): Promise<number> {
  await using job = await context.host.openJob(context.configFile, 'rotate')
  const early = emergency ? 'without overlap' : 'with overlap'
  const wish: RotationWish = { now: now || emergency ? early : 'no', isForced: forceSwitch }
  return dryRun ? await plan(context, job, names, wish) : await perform(context, job, names, wish)
}

async function plan(
  { output }: Context,
  job: Job,
  names: readonly string[],
  wish: RotationWish,
): Promise<number> {
  const planned = await job.plan(names, wish)
  const clocks = otherClocks(job)
  const steps = planned.flatMap(({ key, ...one }) => ('step' in one ? [{ key, ...one }] : []))
  const failures = planned.flatMap(plannedFailures)
  const lines = [...planned.map((one) => `${one.key}: ${plannedWords(one)}`), ...clocks.lines]
  output.result(lines.length > 0 ? lines : ['no keys are configured'], {
    plan: steps.map(({ key, step }) => ({
      key,
      step: step.kind,
      ...('version' in step && { version: `${step.version.key}@${step.version.n}` }),
      ...(step.kind === 'adopt' && { generation: step.generation }),
      ...(step.kind === 'wait' && { wait: step.wait }),
      ...(step.kind === 'task' && { task: step.task }),
      ...(step.kind === 'done' && { dueAt: step.dueAt ?? null }),
    })),
    failures: failures.map(({ key, error }) => ({ key, ...problemOf(error) })),
    ...clocks.members,
  })
  return worstExitCodeOf([...failures.map(({ error }) => error), ...clocks.errors])
}

function plannedWords(planned: Planned): string {
  return 'step' in planned ? stepWords(planned.step) : problemOf(planned.error).message
}

/** What the run would exit with: no generation for what is due, too. */
function plannedFailures(planned: Planned) {
  const { key } = planned
  return 'step' in planned ? missingGeneration(key, planned.step) : [{ key, error: planned.error }]
}

async function perform(
  { output }: Context,
  job: Job,
  names: readonly string[],
  wish: RotationWish,
): Promise<number> {
  const { catalogued, rotation } = await job.rotate(names, wish)
  const isBusy = rotation.verdict === 'busy'
  const done = isBusy ? nothing : rotation
  const steps = [
    ...(catalogued.synced.verdict === 'done' ? catalogued.synced.steps : []),
    ...done.steps,
  ]
  const orphans = isBusy ? [] : await orphansOf(job, names)
  const clocks = otherClocks(job)
  const rests = new Map(done.rests.map(({ key, rest }) => [key, rest]))
  const revoked = revokedSince(catalogued, steps)
  const failed = [...failuresOf(catalogued), ...failuresSince(revoked, done.failures)]
  const afterOne = (key: string) =>
    afterCutOff(
      rests.get(key),
      failed.some((one) => one.key === key),
    )
  const cutOff = isBusy ? [] : cutOffFailures(catalogued, afterOne)
  const missing = done.rests.flatMap(({ key, rest }) => missingGeneration(key, rest))
  const stuck = [...cutOff, ...missing.filter(({ key }) => cutOff.every((one) => one.key !== key))]
  const errors = [...failed, ...stuck]
  const failures = errors.map(({ key, error }) => ({ key, ...problemOf(error) }))
  const lines = [
    ...revokedLines(revoked),
    ...steps.map(({ version, step }) => `${version} ${step}`),
    ...done.rests
      .filter(({ key, rest }) => isWorthSaying(rest) && stuck.every((one) => one.key !== key))
      .map(({ key, rest }) => `${key} ${stepWords(rest)}`),
    ...failures.map(({ key, message }) => `${key} failed: ${message}`),
    ...strayLines(catalogued),
    ...leftBehindLines(orphans),
    ...clocks.lines,
  ]
  output.result(isBusy ? [...lines, busyWords(lines)] : orNothing(lines), {
    verdict: rotation.verdict,
    steps,
    waits: done.rests.flatMap(({ key, rest }) =>
      rest.kind === 'wait' ? [{ key, wait: rest.wait }] : [],
    ),
    tasks: done.rests.flatMap(({ key, rest }) =>
      rest.kind === 'task' ? [{ key, task: rest.task }] : [],
    ),
    failures,
    orphans: leftBehindDocument(orphans),
    revoked: revokedDocuments(revoked),
    ignored: catalogued.ignored,
    cutOff: cutOffDocument(catalogued),
    ...clocks.members,
  })
  const all = [...errors.map(({ error }) => error), ...clocks.errors]
  return exitCodeWith(revoked, exitCodeFor(steps.length + revoked.length, all))
}

const nothing = { steps: [], rests: [], failures: [] }

function busyWords(before: readonly string[]): string {
  const what = before.length > 0 ? 'its run does the rest' : 'nothing to do here'
  return `another job is rotating: ${what}`
}

function orNothing(lines: readonly string[]): readonly string[] {
  return lines.length > 0 ? lines : ['nothing is due']
}

async function orphansOf(job: Job, names: readonly string[]): Promise<readonly LeftBehind[]> {
  const orphans = names.length > 0 ? names.map((name) => job.orphans(name)) : [job.orphans()]
  return (await Promise.all(orphans)).flat()
}

type Rest = Extract<RotationResult, { verdict: 'done' }>['rests'][number]['rest']

/** What keeps a key at a version that its catalogue does not let sign. */
function afterCutOff(rest: Rest | undefined, hasFailed: boolean): string {
  const isKept = rest?.kind === 'wait' || (rest?.kind === 'task' && rest.task.kind !== 'provision')
  if (isKept) return `the next one ${stepWords(rest)}`
  if (!rest && hasFailed) return otherFailureAdvice
  return 'enable its generation again, or apply Terraform with a new one, then run `chancery rotate` again'
}

/** Nobody would see a rotation that does not happen: it has to be loud. */
function missingGeneration(key: string, rest: PlannedStep) {
  if (rest.kind !== 'task' || rest.task.kind !== 'provision' || !rest.task.isDue) return []
  return [{ key, error: new ServiceError('refused', stepWords(rest)) }]
}

/** Recorded, and something outside is still to come: run again. */
const pendingCodes: ReadonlySet<ErrorCode> = new Set(['registry_unavailable', 'registry_denied'])

function exitCodeFor(steps: number, errors: readonly unknown[]): number {
  const isPending = errors.every((error) => pendingCodes.has(toServiceError(error).code))
  const isPartial = isPending && errors.length > 0 && steps > 0
  return isPartial ? exitCodes.partial : worstExitCodeOf(errors)
}
