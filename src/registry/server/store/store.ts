import { DatabaseSync } from 'node:sqlite'
import { Kysely, type Transaction } from 'kysely'
import { ServiceError } from '../../../errors.ts'
import { NodeSqliteDialect } from '../../../store/dialect.ts'
import { migrate } from '../../../store/migrate.ts'
import { isLocked, openSqlite, storeError } from '../../../store/sqlite.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './schema.ts'

/** For reading: the database itself, or a transaction on it. */
export type Connection = Kysely<Tables>
/** Whatever is written is written in one. */
export type WriteTransaction = Transaction<Tables>

/** Everything that the embedded registry knows. Commands and the server may have it open at once. */
export interface RegistryStore extends AsyncDisposable {
  /** Never waits for whoever writes. */
  readonly connection: Connection
  /**
   * Takes the write lock first, then runs `work`, which awaits nothing but this transaction.
   *
   * @throws {ServiceError} `store_unavailable`; nothing of the transaction is then stored.
   */
  writeTransaction<T>(work: (transaction: WriteTransaction) => Promise<T>): Promise<T>
}

/** @throws {ServiceError} `store_unavailable`, `store_mismatch`. */
export async function openRegistryStore(file: string): Promise<RegistryStore> {
  await using opened = new AsyncDisposableStack()
  const writing = opened.adopt(openDatabase(file), (database) => database.destroy())
  await migrate(writing, file, migrations).catch(rethrow)
  // A second connection: a transaction that waits for its lock would keep every reader waiting.
  const connection = opened.adopt(openDatabase(file), (database) => database.destroy())
  const both = opened.move()
  return {
    connection,
    writeTransaction: (work) => writing.transaction().execute(work).catch(rethrow),
    [Symbol.asyncDispose]: () => both.disposeAsync(),
  }
}

function openDatabase(file: string): Connection {
  return new Kysely<Tables>({ dialect: new NodeSqliteDialect(openSqlite(file)) })
}

function rethrow(error: unknown): never {
  throw storeError(error)
}

/**
 * Held while a process serves the database, and given up with it, however it ends: two servers would
 * each count slots and rates of their own.
 *
 * @throws {ServiceError} `store_unavailable` while another process holds it.
 */
export function holdServing(file: string): Disposable {
  const lock = openLock(`${file}-serve`)
  try {
    lock.exec('begin exclusive')
  } catch (error) {
    lock.close()
    if (!isLocked(error)) throw storeError(error)
    const message = `Another \`registry serve\` serves ${file}: stop it, or configure another sqlite`
    throw new ServiceError('store_unavailable', message, { cause: error })
  }
  return { [Symbol.dispose]: () => lock.close() }
}

function openLock(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout: 0 })
  } catch (error) {
    throw storeError(error)
  }
}
