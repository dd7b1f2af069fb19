import type { Context } from 'hono'
import { rawPath } from '../listener/raw-path.ts'

/** Nothing else exists here: every other path is not found, credentials or not. */
const knownPath =
  /^\/(?:v1\/keys\/[a-z][a-z0-9-]{0,62}\/(?:sign|fingerprint)|openapi\.json|healthz)$/

export function isKnownPath(context: Context): boolean {
  return knownPath.test(rawPath(context))
}

/** The methods that a known path has. */
export function allowedMethods(context: Context): string {
  return rawPath(context).endsWith('/sign') ? 'POST' : 'GET, HEAD'
}
