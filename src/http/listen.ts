import { listen as listenOn, type Listener, type ListenOptions } from '../listener/server.ts'
import { problemReply } from './problem.ts'
import type { Reply } from './reply.ts'

/** A request that the application never saw. */
export type Refused = {
  readonly requestId: string
  readonly code: Reply['code']
  readonly status: number
}

export type SignListenOptions = Omit<ListenOptions, 'refuse'> & {
  readonly requestId: () => string
  readonly onRefused?: (refused: Refused) => void
}

/** A listener that refuses in our own words. @throws {ServiceError} `config_invalid`. */
export async function listen(
  app: Parameters<typeof listenOn>[0],
  address: Parameters<typeof listenOn>[1],
  { requestId: newId, onRefused, ...options }: SignListenOptions,
): Promise<Listener> {
  const refuse: ListenOptions['refuse'] = (error) => {
    const requestId = newId()
    const { status, body, contentType, code } = problemReply(error, requestId)
    onRefused?.({ requestId, code, status })
    const headers = {
      'Content-Type': contentType,
      'Cache-Control': 'no-store',
      'X-Request-Id': requestId,
    }
    return { status, headers, body }
  }
  return listenOn(app, address, { ...options, refuse })
}
