import { type ErrorCode, ServiceError, toServiceError } from '../errors.ts'
import type { RotationResult } from '../rotation/rotate.ts'
import type { LeftBehind } from '../service/left-behind.ts'
import {
  cataloguedDocument,
  catalogueRun,
  type CatalogueRun,
  doneLines,
  exitCodeWith,
  failureDocuments,
  failureLines,
  type KeyFailure,
  otherFailureAdvice,
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
    failures: failureDocuments(failures),
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
  const rotated = isBusy ? nothingRotated : rotation
  const { rests } = rotated
  const orphans = isBusy ? [] : await orphansOf(job, names)
  const clocks = otherClocks(job)
  const run = catalogueRun(catalogued, { ...rotated, isBusy }, (key, hasFailed) =>
    afterCutOff(rests.find((one) => one.key === key)?.rest, hasFailed),
  )
  const stuck = stuckOf(run, rests)
  const failures = [...run.failed, ...stuck]
  const lines = [
    ...doneLines(run),
    ...restLines(rests, stuck),
    ...failureLines(failures),
    ...strayLines(catalogued),
    ...leftBehindLines(orphans),
    ...clocks.lines,
  ]
  output.result(isBusy ? [...lines, busyWords(lines)] : orNothing(lines), {
    verdict: rotation.verdict,
    steps: run.steps,
    ...restsDocument(rests),
    failures: failureDocuments(failures),
    orphans: leftBehindDocument(orphans),
    ...cataloguedDocument(catalogued, run),
    ...clocks.members,
  })
  return exitCodeFor(run, [...failures.map(({ error }) => error), ...clocks.errors])
}

const nothingRotated = { steps: [], rests: [], failures: [] }

type KeyRest = { readonly key: string; readonly rest: Rest }

/** Keys that do not go on without somebody; of one that is cut off that is said already. */
function stuckOf({ cutOff }: CatalogueRun, rests: readonly KeyRest[]): readonly KeyFailure[] {
  const missing = rests.flatMap(({ key, rest }) => missingGeneration(key, rest))
  return [...cutOff, ...missing.filter(({ key }) => isNoneOf(cutOff, key))]
}

function restLines(rests: readonly KeyRest[], stuck: readonly KeyFailure[]): readonly string[] {
  return rests
    .filter(({ key, rest }) => isWorthSaying(rest) && isNoneOf(stuck, key))
    .map(({ key, rest }) => `${key} ${stepWords(rest)}`)
}

function isNoneOf(failures: readonly KeyFailure[], key: string): boolean {
  return failures.every((one) => one.key !== key)
}

function restsDocument(rests: readonly KeyRest[]) {
  return {
    waits: rests.flatMap(({ key, rest }) =>
      rest.kind === 'wait' ? [{ key, wait: rest.wait }] : [],
    ),
    tasks: rests.flatMap(({ key, rest }) =>
      rest.kind === 'task' ? [{ key, task: rest.task }] : [],
    ),
  }
}

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

function exitCodeFor({ steps, revoked }: CatalogueRun, errors: readonly unknown[]): number {
  const isPending = errors.every((error) => pendingCodes.has(toServiceError(error).code))
  const isPartial = isPending && errors.length > 0 && steps.length + revoked.length > 0
  return exitCodeWith(revoked, isPartial ? exitCodes.partial : worstExitCodeOf(errors))
}
