import type { Context } from 'hono'

/** Exact bytes of the request target's path, before anything decodes or normalises them. */
export function rawPath({ env, req }: Context): string {
  const incoming: unknown = env?.incoming?.url
  // Without a socket, as in tests, the URL is all there is.
  const target = typeof incoming === 'string' ? incoming : req.url.replace(/^[a-z]+:\/\/[^/?]*/, '')
  const query = target.indexOf('?')
  return query < 0 ? target : target.slice(0, query)
}
