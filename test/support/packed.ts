import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join, resolve } from 'node:path'
import { z } from 'zod'

/** The package as `npm pack` makes it, installed beside the dependencies of this checkout. */
export type Packed = {
  /** What is in the tarball. */
  readonly files: readonly string[]
  /** `node_modules/.bin/chancery`. */
  readonly bin: string
  readonly remove: () => void
}

const root = resolve(import.meta.dirname, '../..')
const dependencies = join(root, 'node_modules')

/** `dist` and the like are left out: packing has to make them. */
const sources = ['package.json', 'tsconfig.json', 'build.ts', 'LICENSE', 'NOTICE', 'README.md']
const trees = ['openapi.json', 'src', 'providers']

const report = z.tuple([
  z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) }),
])

/** Builds, packs and installs; a few seconds, no network. */
export function pack(): Packed {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-packed-'))
  const checkout = join(directory, 'checkout')
  for (const name of [...sources, ...trees].filter((path) => existsSync(join(root, path)))) {
    cpSync(join(root, name), join(checkout, name), { recursive: true, filter: isSource })
  }
  symlinkSync(dependencies, join(checkout, 'node_modules'))
  const [{ filename, files }] = report.parse(JSON.parse(npmPack(checkout)))
  const bin = install(join(checkout, filename), join(directory, 'installed', 'node_modules'))
  const remove = () => rmSync(directory, { recursive: true })
  return { files: files.map(({ path }) => path), bin, remove }
}

/** Not what processes that run meanwhile keep beside their code, and take away again. */
function isSource(path: string): boolean {
  return basename(path) !== '.compile-cache'
}

function npmPack(cwd: string): string {
  const tools = [join(dependencies, '.bin'), dirname(process.execPath), process.env['PATH']]
  const env = {
    PATH: tools.join(delimiter),
    HOME: cwd,
    npm_config_cache: join(cwd, '.npm'),
    npm_config_update_notifier: 'false',
  }
  return execFileSync('npm', ['pack', '--json', '--loglevel', 'error'], {
    cwd,
    env,
    encoding: 'utf8',
  })
}

/** What npm does of it: files in place, dependencies beside them, an executable link. */
function install(tarball: string, modules: string): string {
  const target = join(modules, 'chancery')
  mkdirSync(target, { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'])
  for (const name of readdirSync(dependencies).filter((entry) => !entry.startsWith('.'))) {
    symlinkSync(join(dependencies, name), join(modules, name))
  }
  const script = join(target, 'dist', 'src', 'main.js')
  chmodSync(script, 0o755)
  mkdirSync(join(modules, '.bin'))
  const bin = join(modules, '.bin', 'chancery')
  symlinkSync(script, bin)
  return bin
}
