import type { Context } from 'hono'
import type { Clock } from '../lib/clock.ts'
import type { UlidSource } from '../lib/ulid.ts'

export type RequestIds = {
  /** Ours, a ulid: what the audit knows the request by. */
  readonly request: string
  /** What the caller called it, if that fits; what does not is not used, and not an error. */
  readonly callerRequest: string | undefined
  /** The one of the two that the answer carries. */
  readonly shown: string
}

export function requestIds(
  { req }: Context,
  { newId, clock }: { readonly newId: UlidSource; readonly clock: Clock },
): RequestIds {
  const request = newId(clock.now())
  const sent = req.header('x-request-id')
  const callerRequest = sent !== undefined && /^[\w.-]{1,64}$/.test(sent) ? sent : undefined
  return { request, callerRequest, shown: callerRequest ?? request }
}
