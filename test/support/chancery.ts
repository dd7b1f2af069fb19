import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { longestMs } from './longest.ts'

/** This program, as its users start it: a process of its own. */

const root = resolve(import.meta.dirname, '../..')
export const main = join(root, 'src', 'main.ts')

/** Node keeps what it has compiled: a process starts in half the time. */
const compileCache = join(root, 'node_modules', '.cache', 'chancery-test')

export type Finished = {
  /** Null when a signal ended it. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export type StartOptions = {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Of Node itself, before the script. */
  readonly nodeArguments?: readonly string[]
  /** The script, where it is not the source as it stands. */
  readonly program?: string
  /** After so long it is killed. */
  readonly longestMs?: number
}

/** Nothing of the test's own environment but what a process needs to find its tools. */
const environment = () => ({
  PATH: process.env['PATH'] ?? '',
  HOME: process.env['HOME'] ?? '/',
  NODE_COMPILE_CACHE: compileCache,
})

export function start(
  args: readonly string[],
  {
    cwd = root,
    env = {},
    nodeArguments = [],
    program = main,
    longestMs: killAfterMs = longestMs,
  }: StartOptions = {},
): ChildProcess {
  return spawn(process.execPath, [...nodeArguments, program, ...args], {
    cwd,
    env: { ...environment(), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // What should have refused to start must not outlive its test.
    timeout: killAfterMs,
    killSignal: 'SIGKILL',
  })
}

/** Runs a command to its end. */
export async function chancery(
  args: readonly string[],
  options: StartOptions & { readonly input?: string | Uint8Array } = {},
): Promise<Finished> {
  const child = start(args, options)
  child.stdin?.on('error', () => {}) // it may end before it has read everything
  child.stdin?.end(options.input ?? '')
  return finished(child)
}

export async function finished(child: ChildProcess): Promise<Finished> {
  const [stdout, stderr] = [collected(child.stdout), collected(child.stderr)]
  await once(child, 'close')
  return { exitCode: child.exitCode, stdout: stdout(), stderr: stderr() }
}

/** What a stream has said so far. */
export function collected(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = []
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('utf8')
}

/**
 * The one JSON document that `--json` promises.
 *
 * @throws when stdout holds anything else besides.
 */
export function documentOf({ stdout }: { readonly stdout: string }): unknown {
  if (!/^[^\n]+\n$/.test(stdout)) throw new Error(`not one line: ${JSON.stringify(stdout)}`)
  return JSON.parse(stdout)
}
