import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll } from 'vitest'
import { z } from 'zod'
import { chancery, documentOf, type Finished, type StartOptions } from './chancery.ts'
import { longestMs } from './longest.ts'
import { serve, type Serving } from './serving.ts'

/** A directory as `init` leaves it, but that `serve` takes free ports and drains in a second. */
export type Home = {
  readonly directory: string
  readonly configFile: string
  readonly apiKey: string
  /** Of `var`: `at('master.key')`. */
  readonly at: (name: string) => string
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Finished>
  /** The document that a command prints with `--json`, and its exit code. */
  readonly json: (args: readonly string[], options?: RunOptions) => Promise<Reported>
  readonly serve: (options?: StartOptions) => Promise<Serving>
  /** Changes the configuration, or puts what it would become beside it. */
  readonly edit: (change: (text: string) => string, to?: string) => void
  /** Free ones, and a short drain. */
  readonly usePorts: () => void
}

export type RunOptions = StartOptions & { readonly input?: string | Uint8Array }

export type Reported = {
  readonly exitCode: number | null
  readonly document: unknown
  readonly stderr: string
}

const initDocument = z.object({ apiKey: z.string() })

export type Homes = {
  /** Where they all are. */
  readonly root: string
  readonly copy: (of?: Home, directory?: string) => Home
}

/** Made once for a test file; each test takes a copy. All are gone when the file is done. */
export function homesOfThisFile(): Homes {
  const root = mkdtempSync(join(tmpdir(), 'chancery-home-'))
  let template: Home | undefined
  let copies = 0
  beforeAll(async () => {
    template = await newHome(join(root, 'template'))
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  return {
    root,
    copy(of = template, directory = join(root, `copy-${(copies += 1)}`)) {
      if (!of) throw new Error('take copies in tests: before them there is nothing to copy')
      execFileSync('cp', ['-a', of.directory, directory]) // modes, too
      return homeIn(directory, of.apiKey)
    },
  }
}

async function newHome(directory: string): Promise<Home> {
  const made = await chancery(['--json', 'init', directory])
  if (made.exitCode !== 0) throw new Error(`init: ${made.stderr}`)
  const home = homeIn(directory, initDocument.parse(documentOf(made)).apiKey)
  home.usePorts()
  return home
}

/** What `init` has made in a directory. */
export function homeIn(directory: string, apiKey: string): Home {
  const configFile = join(directory, 'chancery.yaml')
  const run: Home['run'] = (args, options) => chancery(['--config', configFile, ...args], options)
  const edit: Home['edit'] = (change, to = 'chancery.yaml') => {
    const text = readFileSync(configFile, 'utf8')
    const edited = change(text)
    if (edited === text) throw new Error(`${String(change)} changes nothing`)
    writeFileSync(join(directory, to), edited)
  }
  return {
    directory,
    configFile,
    apiKey,
    run,
    at: (name) => join(directory, 'var', name),
    async json(args, options) {
      const ran = await run(['--json', ...args], options)
      return { exitCode: ran.exitCode, document: documentOf(ran), stderr: ran.stderr }
    },
    serve: (options) => serve(configFile, apiKey, options),
    edit,
    usePorts: () => edit(withFreePorts),
  }
}

function withFreePorts(text: string): string {
  const free = text.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:0')
  return free.replace('listen:', 'listen:\n  drainDelay: 1s')
}

/** One more key of the configuration, before its callers. */
export function withKey(text: string, key: string): string {
  return text.replace('\ncallers:', `\n  ${key}\ncallers:`)
}

/** Reads or writes behind the program's back; a process that serves may write beside it. */
export function inStore<T>({ at }: Home, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(at('chancery.db'), { timeout: longestMs })
  try {
    return work(database)
  } finally {
    database.close()
  }
}

/** Every version and its state, read behind the program's back. */
export function statesIn({ at }: Home): readonly string[] {
  const database = new DatabaseSync(at('chancery.db'), { readOnly: true })
  const rows = database.prepare('select key, n, state from versions order by key, n').all()
  database.close()
  return rows.map(({ key, n, state }) => `${String(key)}@${String(n)} ${String(state)}`)
}
