import type { HumanTask } from '../service/tasks.ts'
import type { Context } from './context.ts'

/** What waits for a human. That there is something is no failure: it is exit 0. */
export async function tasks({ host, output, configFile }: Context): Promise<void> {
  await using job = await host.openJob(configFile, 'tasks')
  const found = await job.tasks()
  const lines = found.flatMap(linesOf)
  output.result(lines.length > 0 ? lines : ['nothing waits for a human'], {
    tasks: found.map(({ version, url, shows, ...task }) => ({
      ...task,
      version: version ?? null,
      url: url ?? null,
      fingerprint: shows ?? null,
    })),
  })
}

function linesOf({ key, version, kind, why, steps }: HumanTask): readonly string[] {
  return [`${version ?? key}  ${kind}: ${why}`, ...steps.map((step, at) => `  ${at + 1}. ${step}`)]
}
