import { closeSync, openSync, writeSync } from 'node:fs'
import { isatty, ReadStream } from 'node:tty'

const answerBytesMax = 1_024

const controlC = 0x03
const backspaces: readonly number[] = [0x08, 0x7f]
const lineEnds: readonly number[] = [0x0a, 0x0d]

/**
 * Asks whoever sits at the terminal, and shows nothing of the answer; also where stdin is a pipe.
 *
 * @returns undefined where there is no terminal, or its user ends it. For the caller to zero.
 */
export async function askUnseen(question: string): Promise<Buffer | undefined> {
  const terminal = openTerminal()
  if (terminal === undefined) return undefined
  const stream = new ReadStream(terminal)
  stream.setRawMode(true)
  writeSync(terminal, question)
  try {
    return await readLine(stream)
  } finally {
    stream.setRawMode(false)
    writeSync(terminal, '\n')
    stream.destroy()
  }
}

/** The one that this process was started from, however its streams are redirected. */
function openTerminal(): number | undefined {
  try {
    const terminal = openSync('/dev/tty', 'r+')
    if (isatty(terminal)) return terminal
    closeSync(terminal)
  } catch {
    // There is none: a job, a container, a pipeline.
  }
  return undefined
}

async function readLine(stream: ReadStream): Promise<Buffer | undefined> {
  const answer = Buffer.alloc(answerBytesMax)
  let length = 0
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    for (const byte of Buffer.from(chunk)) {
      if (byte === controlC) return undefined
      if (lineEnds.includes(byte)) return answer.subarray(0, length)
      if (backspaces.includes(byte)) length = Math.max(0, length - 1)
      else if (length < answerBytesMax) answer[length++] = byte
    }
  }
  return undefined
}
