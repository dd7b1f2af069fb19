import { ChanceryError } from './error.ts'

/** The members of a JSON object. A map: what is not there is not inherited either. */
export type Members = ReadonlyMap<string, unknown>

/** @returns undefined for what is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function membersOf(value: unknown): Members | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return new Map<string, unknown>(Object.entries(value))
}

/** @throws {ChanceryError} `unexpected_answer`, naming the member and not what stood there. */
export function textOf(members: Members, name: string, shape = /^[^]+$/): string {
  const value = members.get(name)
  if (typeof value === 'string' && shape.test(value)) return value
  throw unexpected(`its ${name} is not what was expected`)
}

/** @throws {ChanceryError} `unexpected_answer`. */
export function versionOf(members: Members): number {
  const value = members.get('version')
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
  throw unexpected('its version is no number of one')
}

/** An instant in RFC 3339, as it stands there. @throws {ChanceryError} `unexpected_answer`. */
export function instantOf(members: Members, name: string): string {
  const text = textOf(
    members,
    name,
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/,
  )
  if (!Number.isNaN(Date.parse(text))) return text
  throw unexpected(`its ${name} is no instant`)
}

export function unexpected(what: string, status?: number): ChanceryError {
  const about = status === undefined ? {} : { status }
  return new ChanceryError('unexpected_answer', `This is no answer of the service: ${what}`, about)
}
