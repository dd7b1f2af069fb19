import { spawnSync } from 'node:child_process'
import { existsSync, globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runNode } from './child.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The script to measure, and whether it is what the sources say now. */
export type Program = {
  readonly script: string
  readonly form: 'compiled' | 'source'
  readonly isStale: boolean
}

/** The compiled program, built first when there is none; or the sources as they stand. */
export function findProgram(fromSource: boolean): Program {
  if (fromSource) return { script: join(root, 'src/main.ts'), form: 'source', isStale: false }
  const script = join(root, 'dist/src/main.js')
  if (!existsSync(script)) build()
  const builtAtMs = statSync(script).mtimeMs
  const sources = globSync(['build.ts', 'package-lock.json', '{src,providers}/**/*.ts'], {
    cwd: root,
  })
  const isStale = sources.some((file) => statSync(join(root, file)).mtimeMs > builtAtMs)
  return { script, form: 'compiled', isStale }
}

/** Runs a command to its end. @returns its JSON document. */
export async function runCommand(
  { script }: Program,
  configFile: string,
  args: readonly string[],
): Promise<unknown> {
  return JSON.parse(await runNode([script, '--json', '--config', configFile, ...args]))
}

function build(): void {
  process.stderr.write('dist is missing: npm run build\n')
  const { status } = spawnSync('npm', ['run', 'build'], { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error(`npm run build ended with ${status}`)
}
