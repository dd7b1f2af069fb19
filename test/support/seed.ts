import { registerHooks } from 'node:module'
import type { Edit } from './edits.ts'
import { registrySeeds } from './registry-seeds.ts'
import { seeds } from './seeds.ts'

/**
 * Started with `node --import …/seed.ts`, a process runs our sources with mistakes in them, or dies
 * at a named point: `CHANCERY_SEED` names which, one a line. No file is changed.
 */
const names = (process.env['CHANCERY_SEED'] ?? '').split('\n')

const edits = names.flatMap((name): readonly Edit[] => {
  const found = seeds[name] ?? registrySeeds[name]
  if (!found) throw new Error(`there is no seed "${name}"`)
  return found
})

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const here = edits.filter(({ file }) => url.endsWith(`/${file}`))
    if (here.length === 0) return loaded
    if (!(loaded.source instanceof Uint8Array)) throw new Error(`${url} has no source in bytes`)
    return { ...loaded, source: here.reduce(edited, Buffer.from(loaded.source).toString()) }
  },
})

/** However the source is laid out: between words any white space is as good as any other. */
function edited(source: string, { file, from, to }: Edit): string {
  const words = from
    .split(/\s+/)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  const pattern = new RegExp(words.join(String.raw`\s+`), 'g')
  const { length } = [...source.matchAll(pattern)]
  if (length !== 1) throw new Error(`a seed no longer fits ${file}: ${length} × ${from}`)
  return source.replace(pattern, () => to)
}
