import { type ErrorCode, toServiceError } from '../errors.ts'
import type { DecidedStep, Wait } from '../rotation/next-step.ts'
import type { RotationResult } from '../rotation/rotate.ts'
import type { Context } from './context.ts'
import { exitCodes, worstExitCodeOf } from './failure.ts'
import type { Job, Planned } from './host.ts'

export async function rotate(
  context: Context,
  names: readonly string[],
  dryRun: boolean,
): Promise<number> {
  await using job = await context.host.openJob(context.configFile, 'rotate')
  return dryRun ? await plan(context, job, names) : await perform(context, job, names)
}

async function plan({ output }: Context, job: Job, names: readonly string[]): Promise<number> {
  const planned = await job.plan(names)
  const lines = planned.map((one) => `${one.key}: ${plannedWords(one)}`)
  const steps = planned.flatMap(({ key, ...one }) => ('step' in one ? [{ key, ...one }] : []))
  const failures = planned.flatMap(({ key, ...one }) => ('error' in one ? [{ key, ...one }] : []))
  output.result(lines.length > 0 ? lines : ['no keys are configured'], {
    plan: steps.map(({ key, step }) => ({
      key,
      step: step.kind,
      ...(step.kind === 'wait' && { wait: step.wait }),
    })),
    failures: failures.map(({ key, error }) => ({ key, ...problemOf(error) })),
  })
  return worstExitCodeOf(failures.map(({ error }) => error))
}

function plannedWords(planned: Planned): string {
  return 'step' in planned ? wordsOf(planned.step) : problemOf(planned.error).message
}

function wordsOf(step: DecidedStep): string {
  return step.kind === 'wait' ? waitWords(step.wait) : words[step.kind]
}

const words: Readonly<Record<Exclude<DecidedStep['kind'], 'wait'>, string>> = {
  generate: 'a version would be made and activated',
  resume: 'an interrupted run would be finished',
  publish: 'a version would be told to its registry, and activated',
  activate: 'a version would be activated',
  done: 'nothing is due',
}

function waitWords({ slots, unknownKids, versions }: Wait): string {
  const takers = [
    ...(versions.length > 0 ? [versions.join(', ')] : []),
    ...(unknownKids.length > 0 ? [`keys that we do not know: ${unknownKids.join(', ')}`] : []),
  ]
  return `waits: all ${slots} slots at the registry are taken, by ${takers.join(' and ')}. Delete there what nobody uses`
}

async function perform({ output }: Context, job: Job, names: readonly string[]): Promise<number> {
  const result = await job.rotate(names)
  if (result.verdict === 'busy') {
    const document = { verdict: 'busy', steps: [], waits: [], failures: [] }
    output.result(['another job is rotating: nothing to do here'], document)
    return exitCodes.done
  }
  const { steps, waits } = result
  const failures = result.failures.map(({ key, error }) => ({ key, ...problemOf(error) }))
  const lines = [
    ...steps.map(({ version, step }) => `${version} ${step}`),
    ...waits.map(({ key, wait }) => `${key} ${waitWords(wait)}`),
    ...failures.map(({ key, message }) => `${key} failed: ${message}`),
  ]
  const document = { verdict: 'done', steps, waits, failures }
  output.result(lines.length > 0 ? lines : ['nothing is due'], document)
  return exitCodeFor(result)
}

/** Recorded, and something outside is still to come: run again. */
const pendingCodes: ReadonlySet<ErrorCode> = new Set(['registry_unavailable', 'registry_denied'])

function exitCodeFor({ failures, steps }: Extract<RotationResult, { verdict: 'done' }>): number {
  const errors = failures.map(({ error }) => error)
  const isPending = errors.every((error) => pendingCodes.has(toServiceError(error).code))
  const isPartial = isPending && errors.length > 0 && steps.length > 0
  return isPartial ? exitCodes.partial : worstExitCodeOf(errors)
}

function problemOf(error: unknown): { readonly code: string; readonly message: string } {
  const { code, message } = toServiceError(error)
  return { code, message }
}
