import { openSync, closeSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type Child, firstLine, startNode, stop } from './child.ts'
import type { Installation } from './installation.ts'
import { postJson, type Target } from './load.ts'
import type { Program } from './program.ts'
import { hs256 } from './subjects.ts'

const urls = z.object({ sign: z.url(), ops: z.url() })

/** About as long as a JWT's signing input, and no text. */
const message = Buffer.alloc(160, 0xa5).toString('base64')

/** How much of the log explains a crash. */
const logTailCharacters = 2_000

/** A real `serve`, in a process of its own; its log goes to a file, as an operator's would. */
export type Service = AsyncDisposable & {
  readonly pid: number
  readonly port: number
  /** One signature by a key, ready to be put under load. */
  target(key: string): Target
}

/** Resolves when it listens. @throws {Error} with the end of its log when it does not. */
export async function startService(
  { script }: Program,
  { configFile, directory, authorization }: Installation,
): Promise<Service> {
  const logFile = join(directory, 'serve.log')
  const log = openSync(logFile, 'a')
  const child = startNode([script, '--json', '--config', configFile, 'serve'], {
    stdio: ['ignore', 'pipe', log],
  })
  closeSync(log)
  const line = await firstLine(child)
  if (line === undefined) throw new Error(`serve did not start: ${tailOf(logFile)}`)
  const port = Number(new URL(urls.parse(JSON.parse(line)).sign).port)
  const { pid } = child
  return {
    pid,
    port,
    target(key) {
      const body = key === hs256.name ? { message } : { claims: { sub: 'tenant:42' } }
      const path = `/v1/keys/${key}/sign`
      return { port, pid, request: postJson({ port, path, authorization }, body) }
    },
    [Symbol.asyncDispose]: () => end(child, logFile),
  }
}

async function end(child: Child, logFile: string): Promise<void> {
  const code = await stop(child)
  if (code !== 0) throw new Error(`serve ended with ${code}: ${tailOf(logFile)}`)
}

function tailOf(file: string): string {
  return readFileSync(file, 'utf8').slice(-logTailCharacters)
}
