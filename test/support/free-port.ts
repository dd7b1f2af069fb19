import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below what a kernel hands out to whoever listens on port 0 or connects (Linux from 32,768 on, macOS from
 * 49,152): hundreds of servers begin and end beside a test, and none of them comes by one of these.
 */
const [lowest, highest] = [12_000, 32_000] as const

const triesMax = 100

/**
 * A port of loopback that nobody listens on: for a process that has to be told one before it starts, and for
 * what has to find nobody there, however long it takes.
 */
export async function freePort(): Promise<number> {
  for (let i = 0; i < triesMax; i += 1) {
    const port = randomInt(lowest, highest)
    if (await isFree(port)) return port
  }
  throw new Error(`of ${triesMax} ports of 127.0.0.1 none can be listened on`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false // somebody has it
  }
  server.close()
  await once(server, 'close')
  return true
}
