import { listen as listenOn, type Listener } from '../listener/server.ts'
import type { TlsMaterial } from '../listener/tls.ts'
import { problemReply } from './problem.ts'
import type { Reply } from './reply.ts'

export type ListenOptions = {
  readonly requestId: () => string
  /** Without it: plain HTTP. */
  readonly tls?: TlsMaterial | undefined
  /** Of every request that was refused before the application saw it. */
  readonly onRefused?: (code: Reply['code'], requestId: string) => void
}

/** A listener that refuses in our own words. @throws {ServiceError} `config_invalid`. */
export async function listen(
  app: Parameters<typeof listenOn>[0],
  address: Parameters<typeof listenOn>[1],
  { requestId, tls, onRefused }: ListenOptions,
): Promise<Listener> {
  const refuse: Parameters<typeof listenOn>[2]['refuse'] = (error) => {
    const id = requestId()
    const { status, body, contentType, code } = problemReply(error, id)
    onRefused?.(code, id)
    const headers = {
      'Content-Type': contentType,
      'Cache-Control': 'no-store',
      'X-Request-Id': id,
    }
    return { status, headers, body }
  }
  return listenOn(app, address, { refuse, tls })
}
