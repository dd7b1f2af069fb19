import { hash } from 'node:crypto'
import { type Bytes, concatBytes, utf8 } from '../lib/bytes.ts'

/** Where every chain starts; its first record names the writer, so no two chains are alike. */
export const chainRoot: Bytes = new Uint8Array(32)

/** SHA-256 over the previous link and the exact bytes stored: they are never serialised again. */
export function link(previous: Uint8Array, body: string): Bytes {
  return new Uint8Array(hash('sha256', concatBytes(previous, utf8(body)), 'buffer'))
}

/** One stored record: `seq` counts from 1 within its writer, without a gap. */
export type Link = {
  readonly writer: string
  readonly seq: number
  readonly body: string
  readonly hash: Bytes
}

/** One writer's chain as it grows. A writer is one process run. */
export class Chain {
  readonly writer: string
  #seq = 0
  #head = chainRoot

  constructor(writer: string) {
    this.writer = writer
  }

  get isEmpty(): boolean {
    return this.#seq === 0
  }

  append(body: string): Link {
    this.#seq += 1
    this.#head = link(this.#head, body)
    return { writer: this.writer, seq: this.#seq, body, hash: this.#head }
  }

  /** Where the chain stands, for `rewind` when the transaction around it is rolled back. */
  mark(): ChainMark {
    return { seq: this.#seq, head: this.#head }
  }

  rewind({ seq, head }: ChainMark): void {
    this.#seq = seq
    this.#head = head
  }
}

export type ChainMark = { readonly seq: number; readonly head: Bytes }
