import { resolve } from 'node:path'

export type RawRecord = Readonly<Record<string, unknown>>

export function isRecord(value: unknown): value is RawRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Members that hold a path: all named `…File`, and these. */
const pathMembers: readonly string[] = ['sqlite', 'directory']

/** Makes relative paths relative to the configuration file, wherever they stand in it. */
export function resolvePaths(raw: RawRecord, directory: string): RawRecord {
  return Object.fromEntries(
    Object.entries(raw).map(([name, value]) => {
      if (isRecord(value)) return [name, resolvePaths(value, directory)]
      if (name === 'catalogues' && Array.isArray(value)) {
        return [name, value.map((file: unknown) => resolved(file, directory))]
      }
      const isPath = name.endsWith('File') || pathMembers.includes(name)
      return [name, isPath ? resolved(value, directory) : value]
    }),
  )
}

function resolved(path: unknown, directory: string): unknown {
  return typeof path === 'string' && path !== '' ? resolve(directory, path) : path
}
