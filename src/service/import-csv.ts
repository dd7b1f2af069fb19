import { parse } from 'csv-parse/sync'
import { z } from 'zod'
import { ServiceError } from '../errors.ts'

/** What portals call the two columns, without case, spaces and signs. */
const keyIdNames = ['keyid', 'apikeyid', 'accesskeyid', 'id']
const secretNames = [
  'secret',
  'secretkey',
  'keysecret',
  'apisecret',
  'apikeysecret',
  'apisecretkey',
]

const table = z.array(z.array(z.string()))

export type CsvKey = {
  readonly keyId: string
  readonly secret: string
  /** How many keys the file holds, this one included: their secrets are nowhere else. */
  readonly keysInFile: number
}

/**
 * The key id and the secret of a CSV file as a portal downloads it, by the names of its columns.
 *
 * @param keyId which row, where there are several.
 * @throws {ServiceError} `usage`: no such columns, or several, with the list of those that there are; no
 *   such row, or several, with their key ids. No message shows a secret, and there is no cause, since the
 *   parser's words quote what it read.
 */
export function readCsv(bytes: Uint8Array, keyId: string | undefined): CsvKey {
  const [header = [], ...rows] = parsed(bytes)
  const idColumn = onlyColumn(header, keyIdNames, 'key id')
  const secretColumn = onlyColumn(header, secretNames, 'secret')
  const keys = rows.map((row) => ({
    keyId: row[idColumn]?.trim() ?? '',
    secret: row[secretColumn] ?? '',
  }))
  const chosen = keyId === undefined ? keys : keys.filter((key) => key.keyId === keyId)
  const [key] = chosen
  if (key && chosen.length === 1) return { ...key, keysInFile: keys.length }
  const ids = keys.map((one) => one.keyId).join(', ')
  if (keys.length === 0) throw unreadable('has no row but its header', 'download it again')
  const words = keyId === undefined ? `has ${keys.length} keys` : `has not one row of ${keyId}`
  throw unreadable(words, `name one with --key-id: ${ids}`)
}

function parsed(bytes: Uint8Array): readonly (readonly string[])[] {
  try {
    const rows: unknown = parse(Buffer.from(bytes), { bom: true, skipEmptyLines: true })
    return table.parse(rows)
  } catch {
    throw unreadable('cannot be read', 'download it again, and change nothing in it')
  }
}

function onlyColumn(header: readonly string[], names: readonly string[], what: string): number {
  const normal = header.map((name) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, ''))
  const found = normal.flatMap((name, at) => (names.includes(name) ? [at] : []))
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  const count = found.length === 0 ? 'no column' : `${found.length} columns`
  // A file without a header has a secret in its first line.
  const isHeader = normal.some((name) => [...keyIdNames, ...secretNames].includes(name))
  const list = isHeader ? `its columns are ${header.join(', ')}` : 'its first line names none'
  throw unreadable(
    `has ${count} for the ${what}`,
    `${list}. Name the one column like "key id" or "secret", or use --secret with --key-id`,
  )
}

function unreadable(words: string, remedy: string): ServiceError {
  return new ServiceError('usage', `The CSV file ${words}: ${remedy}`)
}
