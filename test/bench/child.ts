import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'

const running = new Set<ChildProcess>()

/** However the bench ends, what it started ends too. */
export function endChildrenAtExit(): void {
  process.once('exit', () => {
    for (const child of running) child.kill('SIGKILL')
  })
}

export type Child = {
  readonly pid: number
  readonly process: ChildProcess
  /** The exit code, or the signal. */
  readonly ended: Promise<number | NodeJS.Signals>
}

/** Starts this same Node with a script. */
export function startNode(args: readonly string[], options: SpawnOptions): Child {
  const child = spawn(process.execPath, args, options)
  running.add(child)
  const ended = once(child, 'exit').then(([code, signal]: unknown[]) => {
    running.delete(child)
    return typeof code === 'number' ? code : isSignal(signal) ? signal : 1
  })
  if (child.pid === undefined) throw new Error(`${args[0]} could not be started`)
  return { pid: child.pid, process: child, ended }
}

/** Runs a script to its end. @returns what it printed. */
export async function runNode(args: readonly string[], input = ''): Promise<string> {
  const child = startNode(args, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.process.stdin?.end(input)
  const chunks: Buffer[] = []
  for await (const chunk of child.process.stdout ?? []) chunks.push(Buffer.from(chunk))
  const code = await child.ended
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`)
  return Buffer.concat(chunks).toString('utf8')
}

/** The first line that a child prints; undefined when it ends without one. */
export async function firstLine({ process: { stdout } }: Child): Promise<string | undefined> {
  let text = ''
  for await (const chunk of stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    text += String(chunk)
    const end = text.indexOf('\n')
    if (end !== -1) return text.slice(0, end)
  }
  return undefined
}

/** @returns the exit code, or the signal. */
export async function stop({ process: child, ended }: Child): Promise<number | NodeJS.Signals> {
  child.kill('SIGTERM')
  return ended
}

function isSignal(value: unknown): value is NodeJS.Signals {
  return typeof value === 'string' && value.startsWith('SIG')
}
