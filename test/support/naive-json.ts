/** RFC 8259 read the long way, token by token: what `JSON.parse` merges or rewrites is seen here. */

const string = /"((?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*)"/uy
const scalar = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[Ee][+-]?\d+)?/y
const space = /[ \t\n\r]*/y

/** `ambiguous`: readers differ in the members they see, or ours may misread one. */
export type Reading = 'not JSON' | 'ambiguous' | 'clear'

export function readNaively(text: string): Reading {
  const reader = new Reader(text)
  const isOneValue = reader.value() && reader.isAtEnd()
  if (!isOneValue) return 'not JSON'
  return reader.isAmbiguous ? 'ambiguous' : 'clear'
}

class Reader {
  isAmbiguous = false
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  isAtEnd(): boolean {
    return this.#at === this.#text.length
  }

  /** Whether one value, with the space around it, stands here. */
  value(): boolean {
    this.#take(space)
    const found =
      this.#list('{', '}', this.#member(new Set())) ||
      this.#list('[', ']', () => this.value()) ||
      this.#take(string) !== undefined ||
      this.#take(scalar) !== undefined
    this.#take(space)
    return found
  }

  #member(names: Set<string>): () => boolean {
    return () => {
      this.#take(space)
      const name = this.#take(string)?.[1]
      if (name === undefined) return false
      this.isAmbiguous ||= names.has(name) || name.includes('\\') || name === '__proto__'
      names.add(name)
      this.#take(space)
      return this.#skip(':') && this.value()
    }
  }

  /** Goes back to where it began when there is no such list here. */
  #list(open: string, close: string, item: () => boolean): boolean {
    const start = this.#at
    if (!this.#skip(open)) return false
    this.#take(space)
    if (this.#skip(close)) return true
    while (item()) {
      if (this.#skip(close)) return true
      if (!this.#skip(',')) break
    }
    this.#at = start
    return false
  }

  #skip(character: string): boolean {
    const found = this.#text[this.#at] === character
    if (found) this.#at += 1
    return found
  }

  #take(token: RegExp): RegExpExecArray | undefined {
    token.lastIndex = this.#at
    const match = token.exec(this.#text)
    if (!match) return undefined
    this.#at = token.lastIndex
    return match
  }
}
