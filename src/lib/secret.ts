import { inspect } from 'node:util'
import type { Bytes } from './bytes.ts'

/** How the bytes of a secret can be written down: a fact about whoever made it, that nothing can guess. */
export const secretEncodings = ['utf8', 'base64', 'base64url', 'hex'] as const
export type SecretEncoding = (typeof secretEncodings)[number]

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
