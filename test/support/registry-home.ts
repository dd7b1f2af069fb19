import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { z } from 'zod'
import type { ChildProcess } from 'node:child_process'
import {
  chancery,
  collected,
  documentOf,
  finished,
  type Finished,
  start,
  type StartOptions,
} from './chancery.ts'
import { eventually } from './serving.ts'

/** A directory with a `registry.yaml`, as an operator begins. */
export type RegistryHome = {
  readonly directory: string
  readonly configFile: string
  readonly run: (...args: readonly string[]) => Promise<Finished>
  /** What a command prints with `--json`, and its exit code. */
  readonly json: (
    ...args: readonly string[]
  ) => Promise<{ exitCode: number | null; document: unknown }>
  /** The last word that a command prints. */
  readonly word: (...args: readonly string[]) => Promise<string>
  readonly serve: (options?: StartOptions) => Promise<ServingRegistry>
  /** Every file below the directory, as bytes. */
  readonly files: () => readonly { readonly name: string; readonly content: Uint8Array }[]
}

export type ServingRegistry = {
  readonly url: string
  readonly stderr: () => string
  readonly stop: (signal?: NodeJS.Signals) => Promise<Finished>
  /** When it has, however that came. */
  readonly ended: Promise<Finished>
}

const listening = z.strictObject({ url: z.string() })

type MakeHome = (config?: string) => RegistryHome

/** Everything is gone, and every server ended, when the file is done. */
export function registryHomesOfThisFile(): MakeHome {
  const root = mkdtempSync(join(tmpdir(), 'chancery-registry-'))
  const children: ChildProcess[] = []
  let homes = 0
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(root, { recursive: true, force: true })
  })
  return (config = '{ listen: 127.0.0.1:0, sqlite: ./var/registry.db }\n') => {
    const directory = join(root, String((homes += 1)))
    mkdirSync(directory)
    return homeIn(directory, config, children)
  }
}

function homeIn(directory: string, config: string, children: ChildProcess[]): RegistryHome {
  const configFile = join(directory, 'registry.yaml')
  writeFileSync(configFile, config)
  const run: RegistryHome['run'] = (...args) =>
    chancery(['--config', configFile, 'registry', ...args])
  return {
    directory,
    configFile,
    run,
    async json(...args) {
      const ran = await chancery(['--config', configFile, '--json', 'registry', ...args])
      return { exitCode: ran.exitCode, document: documentOf(ran) }
    },
    async word(...args) {
      const { stdout, stderr } = await run(...args)
      const word = /(\S+)\n$/.exec(stdout)?.[1]
      if (word === undefined) throw new Error(stderr)
      return word
    },
    serve: (options) => serve(configFile, children, options),
    files: () => filesIn(directory),
  }
}

async function serve(
  configFile: string,
  children: ChildProcess[],
  options: StartOptions = {},
): Promise<ServingRegistry> {
  const child = start(['--config', configFile, '--json', 'registry', 'serve'], options)
  children.push(child)
  const [stdout, stderr] = [collected(child.stdout), collected(child.stderr)]
  const ended = finished(child)
  await Promise.race([eventually(() => stdout().endsWith('\n')), ended])
  const parsed = listening.safeParse(stdout() && JSON.parse(stdout())).data
  if (!parsed) throw new Error(`registry serve does not listen: ${(await ended).stderr}`)
  return {
    url: parsed.url,
    stderr,
    ended,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      return ended
    },
  }
}

function filesIn(directory: string) {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => ({ name, content: readFileSync(join(parentPath, name)) }))
}
