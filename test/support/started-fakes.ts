import { once } from 'node:events'
import { z } from 'zod'
import { collected, finished, start } from './chancery.ts'

const program = new URL('../fakes/main.ts', import.meta.url).pathname

/** What `npm run fakes` starts, once it says where it is. */
export async function startFakes(...args: readonly string[]) {
  const child = start(args, { program })
  const stdout = collected(child.stdout)
  const ended = finished(child)
  await Promise.race([once(child.stdout ?? child, 'data'), ended])
  const stop = async (signal: 'SIGINT' | 'SIGTERM') => {
    child.kill(signal)
    return ended
  }
  return { stdout, stop }
}

const printed = z.strictObject({
  vaults: z.strictObject({ aws: z.object({}).loose(), azure: z.object({}).loose() }),
  environment: z.record(z.string(), z.string()),
})

/** What they print with `--json`: members of `vaults`, and what the environment needs. */
export function printedFakes(stdout: string) {
  return printed.parse(JSON.parse(stdout))
}
