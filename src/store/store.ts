import { Kysely, type Transaction } from 'kysely'
import type { CommandRecord } from '../audit/records.ts'
import { ServiceError } from '../errors.ts'
import { ChainWriter, type WriterIdentity } from './chain-writer.ts'
import type { Tables } from './schema.ts'
import { NodeSqliteDialect } from './dialect.ts'
import { migrate } from './migrate.ts'
import { migrations } from './migrations.ts'
import { openSqlite, storeError } from './sqlite.ts'

/** For reading: the database itself, or a transaction on it. */
export type Connection = Kysely<Tables>

/** The truth about what nothing else knows: versions, suspensions, journal, audit (DESIGN §6). */
export interface Store extends AsyncDisposable {
  /** For reading. */
  readonly connection: Connection
  /**
   * Takes the write lock first, then runs `work`, which awaits nothing but this transaction. What
   * it changes and what it records of that are stored together or not at all.
   *
   * @throws {ServiceError} `store_unavailable`; nothing of the transaction is then stored.
   */
  writeTransaction<T>(work: (transaction: WriteTransaction) => Promise<T>): Promise<T>
}

export type WriteTransaction = {
  readonly connection: Transaction<Tables>
  /** Every change of state is an audit record too. */
  record(record: CommandRecord): void
}

/**
 * Opens and migrates the store, and stamps a new one with its environment.
 *
 * @throws {ServiceError} `store_unavailable`, `store_mismatch`.
 */
export async function openStore(file: string, identity: WriterIdentity): Promise<Store> {
  const database = openSqlite(file)
  const connection = new Kysely<Tables>({ dialect: new NodeSqliteDialect(database) })
  try {
    await migrate(connection, file, migrations)
    await stamp(connection, identity.environment)
  } catch (error) {
    await connection.destroy()
    throw storeError(error)
  }
  const chain = new ChainWriter(database, identity)
  let last: Promise<unknown> = Promise.resolve()
  return {
    connection,
    writeTransaction(work) {
      // One after the other: a failed one has wound the chain back before the next looks at it.
      const result = last.then(() => transact(connection, chain, work))
      last = result.catch(() => {})
      return result
    },
    [Symbol.asyncDispose]: () => connection.destroy(),
  }
}

async function transact<T>(
  connection: Connection,
  chain: ChainWriter,
  work: (transaction: WriteTransaction) => Promise<T>,
): Promise<T> {
  const mark = chain.mark()
  try {
    return await connection.transaction().execute((transaction) => {
      const record = (entry: CommandRecord) => chain.append([JSON.stringify(entry)], entry.at)
      return work({ connection: transaction, record })
    })
  } catch (error) {
    chain.rewind(mark)
    throw storeError(error)
  }
}

async function stamp(connection: Connection, environment: string): Promise<void> {
  const stamped = await readEnvironment(connection)
  if (stamped === environment) return
  if (stamped !== undefined) throw otherEnvironment(stamped, environment)
  await connection
    .insertInto('meta')
    .values({ name: 'environment', value: environment })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const now = await readEnvironment(connection)
  if (now !== environment) throw otherEnvironment(now ?? 'none', environment)
}

async function readEnvironment(connection: Connection): Promise<string | undefined> {
  const row = await connection
    .selectFrom('meta')
    .select('value')
    .where('name', '=', 'environment')
    .executeTakeFirst()
  return row?.value
}

function otherEnvironment(stamped: string, environment: string): ServiceError {
  const message =
    `The store belongs to environment "${stamped}", the configuration says "${environment}": ` +
    'correct environment or store.sqlite'
  return new ServiceError('store_mismatch', message)
}
