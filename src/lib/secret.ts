import { inspect } from 'node:util'
import type { Bytes } from './bytes.ts'

/** Holds bytes that must not be printed: templates, JSON and `inspect` all show `[secret]`. */
export class Secret {
  readonly #bytes: Bytes

  constructor(bytes: Bytes) {
    this.#bytes = bytes
  }

  /** The only way to the bytes. Use it where they are consumed, and keep no copy. */
  reveal(): Bytes {
    return this.#bytes
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}
