import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import {
  type DatabaseConnection,
  type Driver,
  SqliteAdapter,
  SqliteDialect,
  type SqliteDatabase,
  SqliteDriver,
} from 'kysely'
import { pause } from '../lib/deadline.ts'
import { isLocked, lockTimeoutMs, storeCall, storeError } from './sqlite.ts'

/** Kysely over `node:sqlite`. */
export class NodeSqliteDialect extends SqliteDialect {
  readonly #database: DatabaseSync

  constructor(database: DatabaseSync) {
    super({ database: adapted(database) })
    this.#database = database
  }

  override createDriver(): Driver {
    return new ImmediateDriver(this.#database)
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter()
  }
}

/**
 * SQLite rolls a schema back like anything else (https://www.sqlite.org/lang_transaction.html), so
 * that a migration whose process dies leaves nothing behind; Kysely believes that it cannot.
 */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/** A deferred BEGIN that then writes is refused when another process wrote first: lock at once. */
class ImmediateDriver extends SqliteDriver {
  readonly #database: DatabaseSync

  constructor(database: DatabaseSync) {
    super({ database: adapted(database) })
    this.#database = database
  }

  /**
   * SQLite's own waiting sleeps longer and longer, and starves beside a writer that commits without a
   * pause: a revocation would come too late. This one asks again every few milliseconds.
   */
  override async beginTransaction(): Promise<void> {
    this.#database.exec('pragma busy_timeout = 0')
    try {
      await this.#begin()
    } finally {
      this.#database.exec(`pragma busy_timeout = ${lockTimeoutMs}`)
    }
  }

  async #begin(): Promise<void> {
    for (let waitedMs = 0; ; waitedMs += lockPauseMs) {
      try {
        return this.#database.exec('begin immediate')
      } catch (error) {
        if (!isLocked(error) || waitedMs >= lockWaitMs) throw storeError(error)
      }
      await pause(lockPauseMs)
    }
  }

  /** A full disk has rolled it back already: a second time would hide why. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await super.rollbackTransaction(connection)
  }
}

/** For a command that changes state; then the store counts as unavailable. */
const lockWaitMs = 10_000
const lockPauseMs = 2

/**
 * Kysely asks a statement whether it returns rows; `node:sqlite` answers that by its columns. Errors
 * of SQLite come out as ours, whoever asked.
 */
function adapted(database: DatabaseSync): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare(text) {
      const statement = storeCall(() => database.prepare(text))
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => storeCall(() => statement.all(...parameters.map(inputValue))),
        iterate: (parameters) => each(() => statement.iterate(...parameters.map(inputValue))),
        run: (parameters) => storeCall(() => statement.run(...parameters.map(inputValue))),
      }
    },
  }
}

function* each<T>(rows: () => Iterable<T>): IterableIterator<T> {
  try {
    yield* rows()
  } catch (error) {
    throw storeError(error)
  }
}

function inputValue(value: unknown): SQLInputValue {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  if (typeof value === 'bigint' || value instanceof Uint8Array) return value
  throw new TypeError(`SQLite cannot take a ${typeof value}`)
}
