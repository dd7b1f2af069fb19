import { readFileSync } from 'node:fs'
import { basename, isAbsolute, join, relative } from 'node:path'
import { build, type Plugin } from 'rolldown'

/**
 * Pure libraries of many small files, of which each costs time at every start: their code goes into
 * ours. Everything else stays a package of its own: vendors' SDKs, and what has to do with credentials.
 */
const external = /^(?!(?:kysely|yaml|zod)(?:\/|$))[@\w]/

/**
 * What every command loads is one file, but for what the audit worker loads, too; each library is one.
 * The rest is split where the program imports on demand.
 */
const groups = [
  { name: 'zod', test: /\/node_modules\/zod\// },
  {
    name: 'base',
    test: /\/src\/(?:errors|keys\/key|lib\/(?:bytes|clock)|signing\/algorithms)\.ts$/,
  },
  { name: 'yaml', test: /\/node_modules\/yaml\// },
  { name: 'kysely', test: /\/node_modules\/kysely\// },
  { name: 'program', test: /\/src\/(?:cli\/program|compose\/host)\.ts$/ }, // with all they import
]

/** MIT and ISC want their notice beside every copy of the code. */
const notices: Plugin = {
  name: 'notices',
  generateBundle(_options, bundle) {
    const modules = Object.values(bundle).flatMap((file) =>
      file.type === 'chunk' ? file.moduleIds : [],
    )
    const folders = modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? [])
    folders.push(join(import.meta.dirname, 'node_modules/rolldown')) // a few lines of its own
    const texts = [...new Set(folders)]
      .toSorted()
      .map((folder) => `${basename(folder)}\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8')}`)
    this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY.txt', source: texts.join('\n\n') })
  },
}

/** Each file says at its end which sources it is made of, one a line after `//=`. */
function sourcesOf({ moduleIds }: { readonly moduleIds: readonly string[] }): string {
  const sources = moduleIds.filter((id) => isAbsolute(id)) // not the bundler’s own
  return sources.map((id) => `//= ${relative(import.meta.dirname, id)}`).join('\n')
}

// Not minified: a stack trace in a log names the function, and the file the source that it is of.
await build({
  cwd: import.meta.dirname,
  input: { main: 'src/main.ts', 'audit-worker': 'src/store/audit-worker.ts' },
  platform: 'node',
  external,
  plugins: [notices],
  logLevel: 'warn',
  // What one command imports on demand, another may need from its beginning.
  checks: { ineffectiveDynamicImport: false },
  output: {
    dir: 'dist',
    cleanDir: true,
    // One folder: what starts the worker looks for it beside itself.
    entryFileNames: 'src/[name].js',
    chunkFileNames: 'src/[name].js',
    codeSplitting: { groups },
    footer: sourcesOf,
  },
})
