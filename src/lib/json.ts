import { ServiceError } from '../errors.ts'

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export type JsonObject = { readonly [name: string]: Json }

/** Every string, closed or not, and the colon that makes it a name: linear on any text. */
const stringToken = /"((?:[^"\\]|\\.?)*)(?:"|$)\s*(:?)/gs

/**
 * The one JSON reader. Beyond `JSON.parse` it refuses duplicate members (Node keeps the last, other
 * readers the first), `__proto__`, and member names with an escape, which Node 24 can misread:
 * https://github.com/nodejs/node/issues/63785
 *
 * @throws {ServiceError} `malformed_request`; it has no cause, since V8's would quote the text.
 */
export function parseJson(text: string): unknown {
  let names = 0
  for (const [, name = '', colon] of text.matchAll(stringToken)) {
    if (colon !== ':') continue
    if (name === '__proto__' || name.includes('\\')) throw refusal()
    names += 1
  }
  try {
    const value: unknown = JSON.parse(text)
    // A member that the text names and the value lacks was overwritten by a later one.
    if (countMembers(value) === names) return value
  } catch {
    // V8's own words quote the text, and a cause ends in the log. Too deep a text ends here, too.
  }
  throw refusal()
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const items: readonly unknown[] = Object.values(value)
  const own = Array.isArray(value) ? 0 : items.length
  return items.reduce((sum: number, item) => sum + countMembers(item), own)
}

function refusal(): ServiceError {
  const message = 'not one JSON value with unique, unescaped member names'
  return new ServiceError('malformed_request', message)
}
