import type { Context } from 'hono'
import { readJsonBody } from '../../listener/body.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Endpoint } from './endpoint.ts'
import { entityOf } from './entity.ts'
import { readKey } from './read-key.ts'
import { register, withdraw } from './register.ts'
import { entityReply, noContent } from './reply.ts'
import { findKey, listKeys } from './store/keys.ts'
import type { RegistryStore } from './store/store.ts'

export type KeyRouteDeps = {
  readonly store: RegistryStore
  readonly clock: Clock
  readonly maxKeys: number
}

const bodyTypes =
  /^application\/(?:vnd\.contentful\.management\.v1\+)?json\s*(?:;\s*charset=utf-8\s*)?$/i

/** GET …/keys */
export function listRoute({ store }: KeyRouteDeps): Endpoint {
  return async (context, { bearer: { organization }, app }) => {
    const page = readPage(context)
    if (!page) return { refused: { code: 'query_invalid' } }
    const { skip, limit } = page
    const keys = await listKeys(store.connection, app)
    const items = keys.slice(skip, skip + limit).map((key) => entityOf(organization, key))
    return entityReply(200, { sys: { type: 'Array' }, total: keys.length, skip, limit, items })
  }
}

/** GET …/keys/{kid} */
export function readRoute({ store }: KeyRouteDeps): Endpoint {
  return async (context, { bearer: { organization }, app }) => {
    const key = await findKey(store.connection, app, kidOf(context))
    if (!key) return { refused: { code: 'not_found' } }
    return entityReply(200, entityOf(organization, key))
  }
}

/** POST …/keys */
export function createRoute({ store, clock, maxKeys }: KeyRouteDeps): Endpoint {
  return async (context, { bearer, app }) => {
    const read = readKey(await readJsonBody(context.req.raw, bodyTypes))
    if (read.verdict === 'bad') return { refused: { code: 'jwk_invalid', issues: read.issues } }
    const key = { ...read.key, app, createdAt: clock.now(), createdBy: bearer.id }
    const admission = await register(store, { bearer, key, maxKeys })
    if (admission !== 'admitted') return { refused: { code: admission } }
    return entityReply(201, entityOf(bearer.organization, key))
  }
}

/** DELETE …/keys/{kid} */
export function deleteRoute({ store, clock }: KeyRouteDeps): Endpoint {
  return async (context, { bearer, app }) => {
    const wasThere = await withdraw(store, { bearer, app, kid: kidOf(context), now: clock.now() })
    return wasThere ? noContent : { refused: { code: 'not_found' } }
  }
}

function kidOf({ req }: Context): string {
  return req.param('kid') ?? ''
}

type Page = { readonly skip: number; readonly limit: number }

/** https://www.contentful.com/developers/docs/references/content-management-api/ : 100 unless told, at most 1000. */
function readPage({ req }: Context): Page | undefined {
  const { skip = ['0'], limit = ['100'], ...others } = req.queries()
  const numbers = [...skip, ...limit]
  if (Object.keys(others).length > 0 || numbers.length > 2) return undefined
  const page = { skip: Number(skip[0]), limit: Number(limit[0]) }
  return numbers.every((number) => /^\d{1,4}$/.test(number)) && page.limit <= 1_000
    ? page
    : undefined
}
