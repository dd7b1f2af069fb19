import { DatabaseSync } from 'node:sqlite'
import { ServiceError } from '../errors.ts'

/** How long a statement waits for another process's write lock. */
export const lockTimeoutMs = 2_000

/**
 * Opens the one store file. WAL with `synchronous=FULL`, read back: NORMAL, other tools' default,
 * loses committed rows at a power loss (https://www.sqlite.org/pragma.html#pragma_synchronous).
 *
 * @throws {ServiceError} `store_unavailable`.
 */
export function openSqlite(file: string): DatabaseSync {
  return storeCall(() => {
    const database = new DatabaseSync(file, {
      timeout: lockTimeoutMs,
      enableForeignKeyConstraints: true,
    })
    try {
      makeDurable(database)
      return database
    } catch (error) {
      database.close()
      throw error
    }
  })
}

function makeDurable(database: DatabaseSync): void {
  switchToWal(database)
  database.exec('pragma synchronous = full')
  const journal = database.prepare('pragma journal_mode').get()?.['journal_mode']
  const synchronous = database.prepare('pragma synchronous').get()?.['synchronous']
  if (journal === 'wal' && synchronous === 2) return
  throw new ServiceError(
    'store_unavailable',
    'The store cannot be opened with WAL and synchronous=FULL',
  )
}

/** Each wait ends with a lock that somebody else has given up: more tries than processes start at once. */
const switchTriesMax = 64

/**
 * The one statement that does not wait for other processes that open a new store at the same time
 * (https://www.sqlite.org/c3ref/busy_handler.html): the waiting is done by a transaction before it.
 */
function switchToWal(database: DatabaseSync): void {
  for (let tries = 1; ; tries += 1) {
    try {
      database.exec('pragma journal_mode = wal')
      return
    } catch (error) {
      if (!isLocked(error) || tries === switchTriesMax) throw error
      database.exec('begin exclusive; rollback')
    }
  }
}

const busy = 5

/** https://www.sqlite.org/rescode.html: what an operator can do about the primary codes. */
const remedies: Readonly<Record<number, string>> = {
  5: 'another process holds its write lock: try again, or find the process that hangs',
  8: 'it is read-only: make the file and its directory writable for this user',
  10: 'the disk reports an I/O error: check the disk',
  11: 'it is damaged: restore a backup',
  13: 'the disk is full: free some space; nothing was lost',
  14: 'it cannot be opened: check that its directory exists and is writable for this user',
  26: 'it is not a SQLite database: check the path',
}

/** Runs `work`, with SQLite's errors as ours. */
export function storeCall<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw storeError(error)
  }
}

/** @returns `store_unavailable` with what to do, for an error of SQLite; any other error unchanged. */
export function storeError(error: unknown): unknown {
  const code = primaryCode(error)
  const remedy = code === undefined ? undefined : remedies[code]
  if (remedy === undefined) return error
  return new ServiceError('store_unavailable', `The store cannot be used: ${remedy}`, {
    cause: error,
  })
}

/** Another process is writing; asking again will help. */
export function isLocked(error: unknown): boolean {
  return primaryCode(error) === busy
}

/** Of an error of SQLite; its extended codes say no more to an operator. */
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}
