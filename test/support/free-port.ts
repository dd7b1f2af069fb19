import { once } from 'node:events'
import { createServer } from 'node:net'
import { portOf } from './document-server.ts'

/** A port of loopback that nobody listens on, for a process that has to be told one before it starts. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  return port
}
