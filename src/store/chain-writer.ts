import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Chain, type ChainMark } from '../audit/chain.ts'
import type { WriterStart } from '../audit/records.ts'
import { unquotedHeads } from './audit-heads.ts'

export type WriterIdentity = {
  /** A ulid: one process run. */
  readonly writer: string
  readonly program: string
  readonly environment: string
}

/**
 * Appends to this run's own chain, inside a transaction that the caller has begun. The first append
 * also writes the record that names the writer; a run that changes nothing leaves no trace.
 */
export class ChainWriter {
  readonly #database: DatabaseSync
  readonly #identity: WriterIdentity
  readonly #chain: Chain
  readonly #insert: StatementSync

  constructor(database: DatabaseSync, identity: WriterIdentity) {
    this.#database = database
    this.#identity = identity
    this.#chain = new Chain(identity.writer)
    this.#insert = database.prepare(
      'insert into audit (writer, seq, body, hash) values (?, ?, ?, ?)',
    )
  }

  /** @param bodies the exact texts to store. */
  append(bodies: readonly string[], now: number): void {
    if (this.#chain.isEmpty && bodies.length > 0) this.#store(JSON.stringify(this.#start(now)))
    for (const body of bodies) this.#store(body)
  }

  /** Where the chain stands, for `rewind` when the transaction is rolled back. */
  mark(): ChainMark {
    return this.#chain.mark()
  }

  rewind(mark: ChainMark): void {
    this.#chain.rewind(mark)
  }

  #start(at: number): WriterStart {
    return { type: 'writer', at, ...this.#identity, heads: unquotedHeads(this.#database) }
  }

  #store(text: string): void {
    const { writer, seq, body, hash } = this.#chain.append(text)
    this.#insert.run(writer, seq, body, hash)
  }
}
