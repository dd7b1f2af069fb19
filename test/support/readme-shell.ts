import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { expect } from 'vitest'
import { main } from './chancery.ts'

export const readme = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8')

/** What stands in the README's fences of a language, in its order. */
export function readmeBlocks(language: string): readonly string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm')
  return [...readme.matchAll(fence)].map(([, text = '']) => text)
}

export type Ran = { readonly exitCode: unknown; readonly text?: string }

export type ReadmeShell = AsyncDisposable & {
  /** Runs a line as it stands there. One that ends in ` serve` goes on in the background, in place of its last. */
  readonly perform: (command: string) => Promise<Ran>
  /** Changes `first/chancery.yaml`. */
  readonly edit: (change: (text: string) => string) => void
  /** Free ports, and a short drain, in `first/chancery.yaml`. */
  readonly usePorts: () => void
}

/** A shell in a directory of its own, whose `npx chancery` is the source as an installed package would run it. */
export async function readmeShell(
  more: Readonly<Record<string, string>> = {},
): Promise<ReadmeShell> {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-readme-'))
  const bin = binIn(directory)
  // Fixed ports would make two runs of this test meet.
  const ports = new Map([
    ['8480', await freePort()],
    ['8490', await freePort()],
  ])
  const serving = new Map<string, ChildProcess>()

  function start(command: string): ChildProcess {
    const here = command.replace(
      /127\.0\.0\.1:(\d+)/g,
      (_, written: string) => `127.0.0.1:${ports.get(written)}`,
    )
    const env = { ...process.env, ...more, PATH: `${bin}${delimiter}${process.env['PATH']}` }
    return spawn('sh', ['-c', `exec ${here}`], {
      cwd: directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  async function serve(command: string): Promise<Ran> {
    await stopped(serving.get(command))
    const child = start(command)
    serving.set(command, child)
    const [line]: unknown[] = await once(child.stdout ?? child, 'data')
    expect(String(line)).toContain('listening')
    return { exitCode: 0 }
  }

  const edit: ReadmeShell['edit'] = (change) => {
    const file = join(directory, 'first', 'chancery.yaml')
    writeFileSync(file, change(readFileSync(file, 'utf8')))
  }

  return {
    perform: (command) =>
      command.endsWith(' serve') ? serve(command) : ended(command, start(command)),
    edit,
    usePorts: () =>
      edit((text) =>
        text
          .replace(':8480', `:${ports.get('8480')}`)
          .replace(':8481', ':0')
          .replace('listen:', 'listen:\n  drainDelay: 1s'),
      ),
    async [Symbol.asyncDispose]() {
      for (const child of serving.values()) await stopped(child)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function binIn(directory: string): string {
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${main}" "$@"\n`)
  chmodSync(join(bin, 'npx'), 0o755)
  return bin
}

/** A refusal over HTTP is no success of the README’s, though it is one of curl’s. */
async function ended(command: string, child: ChildProcess): Promise<Ran> {
  const output: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => output.push(chunk))
  const [exitCode]: unknown[] = await once(child, 'close')
  const text = Buffer.concat(output).toString('utf8')
  const isRefused = command.startsWith('curl') && text.includes('"code"')
  return { exitCode: isRefused ? text : exitCode, text }
}

async function stopped(child: ChildProcess | undefined): Promise<void> {
  if (!child) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  return address.port
}
