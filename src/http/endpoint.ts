import type { Context } from 'hono'
import type { AuthenticationFailure, Authenticator, Caller, Credential } from '../auth/caller.ts'
import { ServiceError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { deadline } from '../lib/deadline.ts'
import type { Logger } from '../lib/log.ts'
import type { UlidSource } from '../lib/ulid.ts'
import { credentialOf } from './credential.ts'
import { InFlight } from './in-flight.ts'
import { isKnownPath } from './path.ts'
import { problemReply } from './problem.ts'
import { type Reply, toResponse } from './reply.ts'
import { type RequestIds, requestIds } from './request-id.ts'

/** Longest life of a request; `X-Request-Timeout` may only shorten it. */
const deadlineMs = 5_000

export type EndpointDeps = {
  readonly authenticator: Authenticator<Credential>
  readonly clock: Clock
  readonly newId: UlidSource
  readonly log: Logger
  /** True once the process accepts nothing more. */
  readonly isClosing: () => boolean
  readonly observe: (observation: Observation) => void
  readonly inFlight?: InFlight
}

/** What one request was, for metrics and the log: no contents. */
export type Observation = {
  readonly route: string
  readonly key: string | undefined
  readonly status: number
  readonly code: Reply['code']
  readonly ms: number
  /** Why a credential proved nothing. */
  readonly refusal: AuthenticationFailure | undefined
}

/** A request that has proved who it is from. */
export type Authenticated = {
  readonly caller: Caller
  /** Ours, a ulid. */
  readonly request: string
  readonly callerRequest: string | undefined
  readonly signal: AbortSignal
}

/** An answer for whoever asks. */
export type OpenEndpoint = (context: Context) => Reply | Promise<Reply>

/** An answer for a caller that has proved who it is. */
export type Endpoint = (context: Context, request: Authenticated) => Promise<Reply>

type Handler = (context: Context) => Promise<Response>

export type Endpoints = {
  readonly open: (route: string, run: OpenEndpoint) => Handler
  /** Authentication is part of how the handler is made, so that no path to it leads around. */
  readonly authenticated: (route: string, run: Endpoint) => Handler
}

/** Makes the routes' handlers; each counts, logs and answers whatever happens inside. */
export function endpoints(deps: EndpointDeps): Endpoints {
  const { inFlight = new InFlight() } = deps
  const handler =
    (route: string, run: (context: Context, seen: Seen) => Promise<Reply>): Handler =>
    async (context) => {
      const startedMs = deps.clock.monotonicMs()
      const seen: Seen = { ids: requestIds(context, deps), caller: undefined, refusal: undefined }
      const isKnown = isKnownPath(context)
      let reply: Reply
      try {
        if (!isKnown) throw new ServiceError('not_found', 'Nothing is here')
        reply = await run(context, seen)
      } catch (error) {
        reply = problemReply(error, seen.ids.shown)
        if (isFailure(reply, error)) {
          deps.log.error('request failed', error, { request: seen.ids.request })
        }
      }
      const ms = deps.clock.monotonicMs() - startedMs
      // Of a path that is none, the router's key is whatever was sent.
      const key = isKnown ? context.req.param('key') : undefined
      report(deps, { route, key, ms }, reply, seen)
      return toResponse(reply, seen.ids.shown)
    }
  return {
    open: (route, run) => handler(route, async (context) => run(context)),
    authenticated: (route, run) =>
      handler(route, async (context, seen) => {
        if (deps.isClosing()) throw closing()
        const asked = askedTimeoutMs(context)
        const limitMs = Math.min(asked ?? deadlineMs, deadlineMs) || deadlineMs
        using limit = deadline(limitMs, context.req.raw.signal, hungUp)
        const caller = await authenticate(deps, context, seen, limit.signal)
        seen.caller = caller.name
        using _ = inFlight.enter(caller.name, context.req.param('key') ?? '')
        assertTimeout(asked)
        return await run(context, { caller, ...seen.ids, signal: limit.signal })
      }),
  }
}

/** What is known of a request, for its log line. */
type Seen = {
  readonly ids: RequestIds
  caller: string | undefined
  refusal: AuthenticationFailure | undefined
}

function report(
  { log, observe }: EndpointDeps,
  measured: Pick<Observation, 'route' | 'key' | 'ms'>,
  { status, code, version }: Reply,
  { ids: { request, callerRequest }, caller, refusal }: Seen,
): void {
  observe({ ...measured, status, code, refusal })
  const ms = Math.round(measured.ms * 1_000) / 1_000
  const { route, key } = measured
  const who = { request, callerRequest, caller, refusal }
  log.info('request', { ...who, route, key, version, code, status, ms })
}

/** What somebody has to look at; load, draining and callers that leave are in the request's line. */
function isFailure({ status, code }: Reply, error: unknown): boolean {
  if (status < 500 || quietCodes.has(code)) return false
  // A vault that was not even asked says nothing new, and there may be thousands of these a second.
  return !(unaskedCodes.has(code) && error instanceof ServiceError && error.cause === undefined)
}

const quietCodes: ReadonlySet<string> = new Set(['overloaded', 'draining', 'deadline_exceeded'])
const unaskedCodes: ReadonlySet<string> = new Set(['vault_unavailable', 'vault_throttled'])

function closing(): ServiceError {
  return new ServiceError('draining', 'The service is stopping: try another replica', {
    details: { retryAfterMs: 1_000 },
  })
}

/** Whoever hangs up is no bug. */
function hungUp(): ServiceError {
  return new ServiceError('deadline_exceeded', 'The caller did not wait for the answer')
}

/** None, bad and unknown credentials look alike. @throws {ServiceError} `unauthenticated`. */
async function authenticate(
  { authenticator }: EndpointDeps,
  context: Context,
  seen: Seen,
  signal: AbortSignal,
): Promise<Caller> {
  const credential = credentialOf(context)
  const proof = credential
    ? await authenticator.authenticate(credential, signal)
    : ({ refused: 'no_credential' } as const)
  if ('caller' in proof) return proof.caller
  seen.refusal = proof.refused
  throw new ServiceError('unauthenticated', 'Send Authorization: Bearer with a valid credential')
}

/** NaN for what is no number of milliseconds: that is said once the caller is known. */
function askedTimeoutMs({ req }: Context): number | undefined {
  const asked = req.header('x-request-timeout')
  if (asked === undefined) return undefined
  return /^[1-9]\d{0,8}$/.test(asked) ? Number(asked) : NaN
}

/** @throws {ServiceError} `malformed_request`. */
function assertTimeout(asked: number | undefined): void {
  if (!Number.isNaN(asked)) return
  throw new ServiceError('malformed_request', 'X-Request-Timeout is a number of milliseconds')
}
