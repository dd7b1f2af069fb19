import { isBuiltin } from 'node:module'
import { inside, roomOf, trees, vendorOf } from './map.ts'
import { targetOf, type Import, type SourceFile } from './parse.ts'
import { at, ruleOfFile, type Finding, type Rule, type Violation } from './rule.ts'

const importsFollowTheMap = ruleOfFile('imports follow the map', (file) =>
  file.imports.flatMap((one) => offMap(file.path, one)),
)

function offMap(path: string, { specifier, at: where }: Import): readonly Finding[] {
  const room = roomOf(path)
  if (!room || room.door === 'test/') return []
  if (specifier === undefined) {
    return [{ at: where, fix: 'a computed import cannot be followed: write its path as a literal' }]
  }
  const target = targetOf(path, specifier)
  if (target === undefined || target.startsWith(room.door)) return []
  if (inside(target, room.mayImport)) return []
  // package.json and the like: data above the trees belongs to no room.
  if (target.endsWith('.json') && !trees.some((tree) => target.startsWith(`${tree}/`))) return []
  const other = roomOf(target)?.door ?? target
  const fix = `${room.door} may not import ${other}: move it down, or pass it in`
  return [{ at: where, fix }]
}

const everyFileIsOnTheMap = ruleOfFile('every file is on the map', ({ path }) =>
  roomOf(path) ? [] : [{ at: 0, fix: 'add it to the map, with one line saying what lives there' }],
)

const vendorsHaveOneRoom = ruleOfFile('vendor packages have one room', ({ path, imports }) => {
  if (inside(path, ['test/'])) return []
  return imports.flatMap(({ specifier, at: where }) => {
    const name = specifier === undefined ? undefined : packageOf(specifier)
    if (name === undefined) return []
    const vendor = vendorOf(name)
    if (!vendor && name.startsWith('node:')) return []
    if (vendor && inside(path, vendor.rooms)) return []
    const fix = vendor
      ? `call it from ${vendor.rooms.join(' or ')}, not here`
      : `give ${name} a room in test/tidy/map.ts`
    return [{ at: where, fix }]
  })
})

/** The npm name or `node:` module; undefined for a file of ours. */
function packageOf(specifier: string): string | undefined {
  if (/^[./]/.test(specifier)) return undefined
  if (isBuiltin(specifier)) return `node:${specifier.replace(/^node:/, '')}`
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

const noCycles: Rule = {
  name: 'no cycles',
  find: (files) => {
    const byPath = new Map(files.map((file) => [file.path, file]))
    const done = new Set<string>()
    return files.flatMap((file) => cyclesFrom(file, [], { byPath, done }))
  },
}

type Search = {
  readonly byPath: ReadonlyMap<string, SourceFile>
  /** Files all of whose imports have been followed: each file is visited once. */
  readonly done: Set<string>
}

function cyclesFrom(
  file: SourceFile,
  above: readonly string[],
  search: Search,
): readonly Violation[] {
  if (search.done.has(file.path)) return []
  const trail = [...above, file.path]
  const found = file.imports.flatMap(({ specifier, at: where }) => {
    const target = specifier === undefined ? undefined : targetOf(file.path, specifier)
    const next = target === undefined ? undefined : search.byPath.get(target)
    if (!next) return []
    if (!trail.includes(next.path)) return cyclesFrom(next, trail, search)
    const loop = [...trail.slice(trail.indexOf(next.path)), next.path].join(' → ')
    return [at('no cycles', file, { at: where, fix: `one of them knows too much: ${loop}` })]
  })
  search.done.add(file.path)
  return found
}

/** STYLE §9 names each with its own way out. */
const banned = ruleOfFile('no banned imports', ({ path, imports }) =>
  imports.flatMap(({ specifier = '', at: where }) => {
    if (/^hono\/(?:.+\/)?jw[tk]\b/.test(specifier)) return [{ at: where, fix: 'use jose' }]
    const isChild = /^(?:node:)?child_process$/.test(specifier)
    if (isChild && !inside(path, ['src/demo/', 'test/'])) {
      return [{ at: where, fix: 'use a library' }]
    }
    return []
  }),
)

export const importRules: readonly Rule[] = [
  importsFollowTheMap,
  everyFileIsOnTheMap,
  vendorsHaveOneRoom,
  noCycles,
  banned,
]
