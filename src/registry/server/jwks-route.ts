import { hash } from 'node:crypto'
import type { Context } from 'hono'
import type { OpenEndpoint } from './endpoint.ts'
import { cleanJwk } from './entity.ts'
import type { Reply } from './reply.ts'
import { findApp } from './store/apps.ts'
import { listKeys } from './store/keys.ts'
import type { RegistryStore } from './store/store.ts'

export type JwksDeps = { readonly store: RegistryStore; readonly jwksMaxAgeMs: number }

/**
 * GET /apps/{app}/.well-known/jwks.json, for whoever verifies. Computed at each request: a body that
 * is kept would go on publishing a key that was withdrawn.
 */
export function jwksRoute({ store, jwksMaxAgeMs }: JwksDeps): OpenEndpoint {
  const maxAge = `public, max-age=${Math.floor(jwksMaxAgeMs / 1_000)}`
  return async (context, seen) => {
    const app = await findApp(store.connection, context.req.param('app') ?? '')
    if (!app) return { refused: { code: 'not_found' } }
    seen.app = app.id
    const keys = await listKeys(store.connection, app.id)
    const body = JSON.stringify({ keys: keys.map(cleanJwk) })
    const etag = `"${hash('sha256', body, 'base64url')}"`
    return jwksReply(context, body, { ETag: etag, 'Cache-Control': maxAge })
  }
}

function jwksReply({ req }: Context, body: string, headers: Reply['headers']): Reply {
  if (matches(req.header('if-none-match'), headers['ETag'])) {
    return { status: 304, body: null, headers, code: 'ok' }
  }
  const contentType = 'application/jwk-set+json'
  return { status: 200, body, headers: { ...headers, 'Content-Type': contentType }, code: 'ok' }
}

/** RFC 9110 §13.1.2: a list of tags, compared weakly, or `*`. */
function matches(header: string | undefined, etag: string | undefined): boolean {
  if (header === undefined || etag === undefined) return false
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || header.trim() === '*'
}
