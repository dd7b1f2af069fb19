import { writeSync } from 'node:fs'

/** What a command prints: text for people, or one JSON document; never both. */
export class Output {
  readonly json: boolean

  constructor(json: boolean) {
    this.json = json
  }

  /** The result, on stdout. */
  result(lines: readonly string[], document: object): void {
    this.text(this.json ? JSON.stringify(document) : lines.join('\n'))
  }

  /** Text as it is, on stdout. */
  text(text: string): void {
    writeAll(1, `${text}\n`)
  }

  /** What happens meanwhile and what went wrong, on stderr. */
  progress(text: string): void {
    writeAll(2, `${text}\n`)
  }
}

/** Synchronous, so that nothing is lost when the process ends right after. */
function writeAll(fd: number, text: string): void {
  let rest = Buffer.from(text)
  while (rest.length > 0) rest = rest.subarray(writeSome(fd, rest))
}

function writeSome(fd: number, bytes: Buffer): number {
  try {
    return writeSync(fd, bytes)
  } catch (error) {
    // A pipe that is full for a moment; a reader that is gone (EPIPE) ends the writing.
    if (!(error instanceof Error) || !('code' in error)) throw error
    if (error.code === 'EAGAIN') return 0
    if (error.code === 'EPIPE') return bytes.length
    throw error
  }
}
