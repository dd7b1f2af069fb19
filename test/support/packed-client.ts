import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { z } from 'zod'

/** `@chancery/client` as an application gets it: packed, and installed by npm. */
export type PackedClient = {
  /** Of the application. */
  readonly directory: string
  /** What is in the tarball. */
  readonly files: readonly string[]
  readonly remove: () => void
}

const root = resolve(import.meta.dirname, '../..')
const bin = join(root, 'node_modules', '.bin')

const report = z.tuple([
  z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) }),
])

/** A few seconds, no network: the package has no dependencies. */
export function packClient(): PackedClient {
  const base = mkdtempSync(join(tmpdir(), 'chancery-client-'))
  const checkout = join(base, 'checkout')
  const sources = ['package.json', 'tsconfig.json', 'tsconfig.client.json', 'LICENSE', 'src/client']
  for (const name of sources) cpSync(join(root, name), join(checkout, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'))
  const packing = ['run', '--silent', 'pack:client', '--', '--json', '--loglevel', 'error']
  const [{ filename, files }] = report.parse(JSON.parse(npm(checkout, packing)))
  const directory = join(base, 'application')
  mkdirSync(directory)
  writeFileSync(join(directory, 'package.json'), '{"type":"module","private":true}\n')
  npm(directory, ['install', '--offline', '--no-audit', '--silent', join(checkout, filename)])
  const remove = () => rmSync(base, { recursive: true })
  return { directory, files: files.map(({ path }) => path), remove }
}

function npm(cwd: string, args: readonly string[]): string {
  const env = {
    PATH: [bin, dirname(process.execPath), process.env['PATH']].join(delimiter),
    HOME: cwd,
    npm_config_cache: join(cwd, '.npm'),
    npm_config_update_notifier: 'false',
  }
  return execFileSync('npm', args, { cwd, env, encoding: 'utf8' })
}

/** The machine's own Node, where it has one: the tests run on the checkout's. */
export function nodeOfThisMachine(): { readonly path: string; readonly version: string } {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const PATH = folders.filter((folder) => !folder.endsWith('node_modules/.bin')).join(delimiter)
  const script = 'console.log(JSON.stringify([process.execPath, process.version]))'
  const told = execFileSync('node', ['-e', script], { env: { PATH }, encoding: 'utf8' })
  const [path, version] = z.tuple([z.string(), z.string()]).parse(JSON.parse(told))
  return { path, version }
}
