import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { z } from 'zod'
import { parseJson } from '../lib/json.ts'

/** This program, started again: the demo does nothing that a user could not type. */
export type Program = {
  /** Runs a command to its end; `json` is its one document. */
  run(args: readonly string[], input?: string): Promise<Finished>
  /** Starts `serve` and resolves when it listens. */
  serve(): Promise<Served>
}

export type Finished = { readonly exitCode: number; readonly json: unknown }

export type Served = AsyncDisposable & { readonly signUrl: string; readonly opsUrl: string }

const urls = z.object({ sign: z.string(), ops: z.string() })

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
    async serve() {
      const child = start(['serve'])
      const { sign, ops } = urls.parse(parseJson(await firstLine(child)))
      return { signUrl: sign, opsUrl: ops, [Symbol.asyncDispose]: () => stop(child) }
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
  throw new Error('serve ended before it listened')
}

async function stop(child: ChildProcess): Promise<void> {
  const exit = exited(child)
  child.kill('SIGTERM')
  await exit
}
