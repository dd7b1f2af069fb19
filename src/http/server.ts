import type { Hono } from 'hono'
import { listen as listenOn, type Listener } from '../listener/server.ts'
import { problemReply } from './problem.ts'

export type { Listener } from '../listener/server.ts'

/** @throws {ServiceError} `config_invalid` when the address cannot be had. */
export async function listen(
  app: Hono,
  address: { readonly host: string; readonly port: number },
  requestId: () => string,
): Promise<Listener> {
  return listenOn(app, address, (error) => {
    const id = requestId()
    const { status, body, contentType } = problemReply(error, id)
    const headers = {
      'Content-Type': contentType,
      'Cache-Control': 'no-store',
      'X-Request-Id': id,
    }
    return { status, headers, body }
  })
}
