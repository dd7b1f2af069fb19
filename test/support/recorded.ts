import { readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { StartOptions } from './chancery.ts'

/** What a process has loaded, read when it has ended. */
export type Recorded = {
  /** To start it with. */
  readonly options: StartOptions
  /** In the order of loading, once for each thread. */
  readonly files: () => readonly string[]
  /** Each once, by its path in this checkout: a compiled file consists of many. */
  readonly modules: () => readonly string[]
}

const root = resolve(import.meta.dirname, '../..')
const recorder = new URL('./record-modules.ts', import.meta.url)

/** Records in a directory what the program loads: the source, or what is named instead. */
export function recorded(directory: string, program?: string): Recorded {
  const file = join(directory, 'modules')
  const files = () => {
    const urls = readFileSync(file, 'utf8').trimEnd().split('\n')
    return urls.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url))
  }
  const modules = () =>
    files().flatMap((path) => (isCompiled(path) ? modulesIn(path) : relative(root, path)))
  return {
    options: {
      nodeArguments: ['--import', recorder.href],
      env: { RECORD_MODULES_IN: file },
      ...(program !== undefined && { program }),
    },
    files,
    modules: () => [...new Set(modules())],
  }
}

function isCompiled(path: string): boolean {
  return path.includes('/chancery/dist/src/')
}

/** Of a compiled file, which says at its end what it is made of. */
function modulesIn(path: string): readonly string[] {
  const lines = readFileSync(path, 'utf8').matchAll(/^\/\/= (.+)$/gm)
  return [...lines].map(([, module = '']) => module)
}
