import type { Context } from 'hono'

/** Nothing else exists here: any other path is not found, credentials or not. */
const knownPath =
  /^\/(?:v1\/keys\/[a-z][a-z0-9-]{0,62}\/(?:sign|fingerprint)|openapi\.json|healthz)$/

/** Exact bytes of the request target, before anything decodes or normalises them. */
export function isKnownPath(context: Context): boolean {
  return knownPath.test(rawPath(context))
}

/** The methods that a known path has. */
export function allowedMethods(context: Context): string {
  return rawPath(context).endsWith('/sign') ? 'POST' : 'GET, HEAD'
}

function rawPath({ env, req }: Context): string {
  const incoming: unknown = env?.incoming?.url
  // Without a socket, as in tests, the URL is all there is.
  const target = typeof incoming === 'string' ? incoming : req.url.replace(/^[a-z]+:\/\/[^/?]*/, '')
  const query = target.indexOf('?')
  return query < 0 ? target : target.slice(0, query)
}
