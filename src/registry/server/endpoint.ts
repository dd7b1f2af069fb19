import type { Context } from 'hono'
import type { Clock } from '../../lib/clock.ts'
import { deadline, within } from '../../lib/deadline.ts'
import type { Logger } from '../../lib/log.ts'
import type { UlidSource } from '../../lib/ulid.ts'
import { refusalOf, refusalReply } from './contentful-error.ts'
import { isKnownPath } from './path.ts'
import { Rates } from './rates.ts'
import type { Refusal } from './refusal.ts'
import { type Reply, toResponse } from './reply.ts'
import { findApp } from './store/apps.ts'
import type { RegistryStore } from './store/store.ts'
import { findToken } from './store/tokens.ts'
import { authenticate, type Bearer, type Needs, permit } from './token.ts'

/** Longest life of a request. */
const deadlineMs = 5_000

export type EndpointDeps = {
  readonly store: RegistryStore
  readonly clock: Clock
  readonly newId: UlidSource
  readonly log: Logger
}

/** A request that was permitted, about an app that is there. */
export type Permitted = { readonly bearer: Bearer; readonly app: string }

type Answer = Reply | { readonly refused: Refusal }

/** An answer for whoever asks. */
export type OpenEndpoint = (context: Context, seen: Seen) => Promise<Answer>
/** An answer for a token that may have it. */
export type Endpoint = (context: Context, permitted: Permitted) => Promise<Answer>

type Handler = (context: Context) => Promise<Response>

export type Endpoints = {
  readonly open: (route: string, run: OpenEndpoint) => Handler
  /** Authentication is part of how the handler is made, so that no path to it leads around. */
  readonly permitted: (route: string, needs: Needs, run: Endpoint) => Handler
}

/** Makes the routes' handlers; each bounds, logs and answers whatever happens inside. */
export function endpoints(deps: EndpointDeps): Endpoints {
  const rates = new Rates(deps.clock)
  return {
    open: (route, run) => handler(deps, route, run),
    permitted: (route, needs, run) =>
      handler(deps, route, async (context, seen) => {
        const bearer = await bearerOf(deps, context)
        if (!bearer) return { refused: { code: 'token_invalid' } }
        seen.by = bearer.id
        const rate = rates.take(bearer.id)
        if (rate.verdict === 'refuse') {
          return { refused: { code: 'rate_exceeded', retryAfterMs: rate.retryAfterMs } }
        }
        const { organization, app } = named(context)
        const permission = permit(bearer, { organization, needs })
        if (permission !== 'allowed') return { refused: { code: permission } }
        const found = await findApp(deps.store.connection, app)
        if (found?.organization !== organization) return { refused: { code: 'not_found' } }
        seen.app = app
        return run(context, { bearer, app })
      }),
  }
}

/** What is known of a request, for its log line: of what was sent, only what was found. */
export type Seen = { by?: string; app?: string }

function handler(
  deps: EndpointDeps,
  route: string,
  run: (context: Context, seen: Seen) => Promise<Answer>,
): Handler {
  return async (context) => {
    const startedMs = deps.clock.monotonicMs()
    const request = deps.newId(deps.clock.now())
    const seen: Seen = {}
    const answer = isKnownPath(context)
      ? await bounded(deps, request, () => run(context, seen))
      : { refused: { code: 'not_found' as const } }
    const reply = 'refused' in answer ? refusalReply(answer.refused, request) : answer
    const { status, code } = reply
    const ms = Math.round((deps.clock.monotonicMs() - startedMs) * 1_000) / 1_000
    deps.log.info('request', { request, ...seen, route, code, status, ms })
    return toResponse(reply, request)
  }
}

/** Never throws; what is behind a 5xx ends in the log. */
async function bounded(
  { log }: EndpointDeps,
  request: string,
  work: () => Promise<Answer>,
): Promise<Answer> {
  using limit = deadline(deadlineMs)
  try {
    return await within(work(), limit.signal)
  } catch (error) {
    const refused = refusalOf(error)
    if (refused.code === 'internal_error' || refused.code === 'unavailable') {
      log.error('request failed', error, { request })
    }
    return { refused }
  }
}

async function bearerOf({ store }: EndpointDeps, { req }: Context): Promise<Bearer | undefined> {
  const bearer = /^Bearer +([\w.~+/=-]{1,512})$/i.exec(req.header('authorization') ?? '')?.[1]
  return authenticate(bearer, (id) => findToken(store.connection, id))
}

function named({ req }: Context): { readonly organization: string; readonly app: string } {
  return { organization: req.param('organization') ?? '', app: req.param('app') ?? '' }
}
