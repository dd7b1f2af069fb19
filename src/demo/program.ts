import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { parseJson } from '../lib/json.ts'

/** This program, started again: the demo does nothing that a user could not type. */
export type Program = {
  /** Runs a command to its end; `json` is its one document. */
  run(args: readonly string[], input?: string): Promise<Finished>
  /** Starts a program that listens, and resolves with what it says of where. */
  start(args: readonly string[]): Promise<Started>
}

export type Finished = { readonly exitCode: number; readonly json: unknown }

export type Started = AsyncDisposable & { readonly listening: unknown }

export function program(configFile: string): Program {
  const start = (args: readonly string[]) => {
    const [node, script = ''] = [process.execPath, process.argv[1]]
    const stdio = ['pipe', 'pipe', 'ignore'] as const
    return spawn(node, [script, '--json', '--config', configFile, ...args], { stdio: [...stdio] })
  }
  return {
    async run(args, input = '') {
      const child = start(args)
      child.stdin?.end(input)
      const [text, exitCode] = await Promise.all([collect(child), exited(child)])
      return { exitCode, json: text === '' ? undefined : parseJson(text) }
    },
    async start(args) {
      const child = start(args)
      const listening = parseJson(await firstLine(child))
      return { listening, [Symbol.asyncDispose]: () => stop(child) }
    },
  }
}

async function collect({ stdout }: ChildProcess): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stdout ?? []) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

async function exited(child: ChildProcess): Promise<number> {
  const [code]: unknown[] = await once(child, 'exit')
  return typeof code === 'number' ? code : 1
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    text += String(chunk)
    if (text.includes('\n')) return text
  }
  throw new Error('a program ended before it listened')
}

async function stop(child: ChildProcess): Promise<void> {
  const exit = exited(child)
  child.kill('SIGTERM')
  await exit
}
