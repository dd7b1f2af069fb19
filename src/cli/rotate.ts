import { toServiceError } from '../errors.ts'
import { exitCodeOf } from './failure.ts'
import type { Job } from './host.ts'
import type { Context } from './context.ts'

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
  const lines = planned.map(({ key, step }) => `${key}: ${words[step] ?? step}`)
  output.result(lines.length > 0 ? lines : ['no keys are configured'], { plan: planned })
  return 0
}

const words: Readonly<Record<string, string>> = {
  generate: 'a version would be made and activated',
  resume: 'an interrupted run would be finished',
  activate: 'a version would be activated',
  done: 'nothing is due',
}

async function perform({ output }: Context, job: Job, names: readonly string[]): Promise<number> {
  const result = await job.rotate(names)
  if (result.verdict === 'busy') {
    output.result(['another job is rotating: nothing to do here'], {
      verdict: 'busy',
      steps: [],
      failures: [],
    })
    return 0
  }
  const { steps } = result
  const failures = result.failures.map(({ key, error }) => ({ key, ...problemOf(error) }))
  const lines = [
    ...steps.map(({ version, step }) => `${version} ${step}`),
    ...failures.map(({ key, message }) => `${key} failed: ${message}`),
  ]
  output.result(lines.length > 0 ? lines : ['nothing is due'], { verdict: 'done', steps, failures })
  const [first] = result.failures
  return first ? exitCodeOf(first.error) : 0
}

function problemOf(error: unknown): { readonly code: string; readonly message: string } {
  const { code, message } = toServiceError(error)
  return { code, message }
}
