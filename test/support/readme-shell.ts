import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { expect } from 'vitest'
import { main } from './chancery.ts'
import { freePort } from './free-port.ts'

export const readme = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8')

/**
 * What stands in the README's fences of a language, or in those of one of its pages, in its order. `sh` are commands of
 * the one story that it tells, `bash` those of a page's own.
 */
export function readmeBlocks(language: string, page = readme): readonly string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm')
  return [...page.matchAll(fence)].map(([, text = '']) => text)
}

/** Its pages, by their titles. */
export const readmePages: ReadonlyMap<string, string> = new Map(
  readme.split(/^## /m).map((page) => [page.slice(0, page.indexOf('\n')), page]),
)

/** A configuration with what a page adds to it, each section's lines at the head of the section of its name. */
export function withSections(config: string, added: string): string {
  return added.split(/^(?=\S)/m).reduce((text, section) => {
    const heading = `\n${section.slice(0, section.indexOf('\n') + 1)}`
    return text.includes(heading) ? text.replace(heading, () => `\n${section}`) : text + section
  }, config)
}

export type Ran = { readonly exitCode: unknown; readonly text?: string }

export type ReadmeShell = AsyncDisposable & {
  readonly directory: string
  /** Where a `serve` listens, when the ports are used. */
  readonly signUrl: string
  /**
   * Runs a line as it stands there. One that ends in ` serve` goes on in the background, in place of its last.
   *
   * @param pasted into a command that reads what is typed.
   */
  readonly perform: (command: string, pasted?: string) => Promise<Ran>
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

  const env = { ...process.env, ...more, PATH: `${bin}${delimiter}${process.env['PATH']}` }
  const start = (command: string) =>
    spawn('sh', ['-c', `exec ${withPorts(command, ports)}`], { cwd: directory, env, stdio: 'pipe' })

  async function serve(command: string): Promise<Ran> {
    await stopped(serving.get(command))
    const child = start(command)
    serving.set(command, child)
    const [line]: unknown[] = await once(child.stdout, 'data')
    expect(String(line)).toContain('listening')
    return { exitCode: 0 }
  }

  const edit: ReadmeShell['edit'] = (change) => {
    const file = join(directory, 'first', 'chancery.yaml')
    writeFileSync(file, change(readFileSync(file, 'utf8')))
  }

  return {
    directory,
    signUrl: `http://127.0.0.1:${ports.get('8480')}`,
    async perform(command, pasted = '') {
      if (command.endsWith(' serve')) return serve(command)
      const child = start(command)
      child.stdin.on('error', () => {}).end(pasted) // most read nothing, and may have ended
      return ended(command, child)
    },
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

function withPorts(command: string, ports: ReadonlyMap<string, number>): string {
  return command.replace(
    /127\.0\.0\.1:(\d+)/g,
    (_, written: string) => `127.0.0.1:${ports.get(written)}`,
  )
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
