import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

const howTo =
  'CHANCERY_VECTORS=DIR npm run test:vectors, where DIR or DIR/wycheproof holds the JSON files of ' +
  'https://github.com/C2SP/wycheproof (testvectors_v1)'

/** What may lie beside the vectors. */
const documents = ['LICENSE', 'README.md']

/** @throws {Error} that says how to set the variable, unless it leads to a folder with vectors. */
export function vectorFolder(setting: string | undefined): string {
  if (!setting) throw new Error(`CHANCERY_VECTORS is not set: ${howTo}`)
  const within = resolve(setting, 'wycheproof')
  const folder = existsSync(within) ? within : resolve(setting)
  if (!existsSync(folder)) throw new Error(`${folder} is not there: ${howTo}`)
  if (namesIn(folder).length === 0) throw new Error(`${folder} holds no vectors: ${howTo}`)
  return folder
}

export function namesIn(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => !documents.includes(name))
}

/** What is in the folder and not in the table, or the other way round; each with what to do. */
export function unaccounted(
  found: readonly string[],
  listed: readonly string[],
): readonly string[] {
  const unknown = found.filter((name) => !listed.includes(name))
  const absent = listed.filter((name) => !found.includes(name))
  return [
    ...unknown.map((name) => `${name}: say in ${table} what it runs through`),
    ...absent.map((name) => `${name}: not in the folder; fetch it, or take it out of ${table}`),
  ]
}

const table = join('test', 'wycheproof', 'files.ts')
