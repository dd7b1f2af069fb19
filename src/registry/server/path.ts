import { rawPath } from '../../listener/raw-path.ts'
import type { Context } from 'hono'

/** Nothing else exists here: every other path is not found, credentials or not. */
const knownPath =
  /^\/(?:healthz|apps\/ID\/\.well-known\/jwks\.json|organizations\/ID\/app_definitions\/ID\/keys(?:\/KID)?)$/

/** As https://www.contentful.com/developers/docs/references/content-management-api/ says of ids; not `.` or `..`. */
const idText = '[A-Za-z0-9][A-Za-z0-9._-]{0,63}'

const known = new RegExp(
  knownPath.source.replaceAll('KID', '[\\w-]{1,64}').replaceAll('ID', idText),
)

export function isKnownPath(context: Context): boolean {
  return known.test(rawPath(context))
}
