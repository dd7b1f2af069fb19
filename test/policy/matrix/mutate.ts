import { registerHooks } from 'node:module'
import { type Edit, withEdits } from '../../support/edit.ts'
import type { Tally } from './tally.ts'

/** What is made anew for each mutant; keys, bytes and errors are those of the process. */
const isReloaded = /\/(?:src\/(?:policy|service|http)|test\/(?:policy|support))\/(?!memory-key)/

/** The edits of each mutant, by its number; modules say in their URL whose they are. */
const mutants: (readonly Edit[])[] = []

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context)
    const number = /\?mutant=\d+$/.exec(context.parentURL ?? '')?.[0]
    const isOurs = number !== undefined && isReloaded.test(resolved.url)
    return isOurs ? { ...resolved, url: `${resolved.url.replace(/\?.*/, '')}${number}` } : resolved
  },
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const number = /\?mutant=(\d+)$/.exec(url)?.[1]
    const source = withEdits(url, loaded.source, mutants[Number(number)] ?? [])
    return source === undefined ? loaded : { ...loaded, source }
  },
})

/** The matrix over a copy of the sources with these mistakes, as far as the first wrong answer. */
export async function tallyWith(edits: readonly Edit[]): Promise<Tally> {
  mutants.push(edits)
  const copy: unknown = await import(`./tally.ts?mutant=${mutants.length - 1}`)
  if (isTallying(copy)) return copy.tally(1)
  throw new TypeError('tally.ts exports no tally')
}

function isTallying(copy: unknown): copy is typeof import('./tally.ts') {
  return typeof copy === 'object' && copy !== null && 'tally' in copy
}
