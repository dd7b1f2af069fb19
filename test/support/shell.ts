import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Finished, finished, main } from './chancery.ts'
import { longestMs } from './longest.ts'

/** Where commands of a document are run, as whoever pastes them would: a shell goes on after a line that failed. */
export type Shell = {
  readonly run: (commands: string) => Promise<Finished>
}

/** @param programs beside those on the PATH, by name: what a shell would run. */
export function shell(
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
  programs: Readonly<Record<string, string>> = {},
): Shell {
  const bin = join(directory, '.bin')
  mkdirSync(bin, { recursive: true })
  const all = { chancery: `exec '${process.execPath}' '${main}' "$@"`, ...programs }
  for (const [name, script] of Object.entries(all)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  return {
    run(commands) {
      const child = spawn('sh', ['-c', commands], {
        cwd: directory,
        env: { ...env, PATH: `${bin}${delimiter}${env['PATH'] ?? ''}` },
        timeout: longestMs,
      })
      child.stdin.end()
      return finished(child)
    },
  }
}
