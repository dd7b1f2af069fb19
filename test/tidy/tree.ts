import { globSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { trees } from './map.ts'
import type { Source } from './parse.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Everything of ours that Node could run, in a stable order. */
export function readTree(): readonly Source[] {
  const patterns = trees.map((tree) => `${tree}/**/*.{ts,mts,cts,js,mjs,cjs}`)
  return globSync(patterns, { cwd: root })
    .map((path) => path.replaceAll(sep, '/'))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}
