import { ChanceryError } from './error.ts'

/** RFC 6750 §2.1. Whatever else there is would stand, whole, in the error of who refuses it as a header. */
const bearerToken = /^[\w.~+/-]+=*$/

const longestTimeoutMs = 600_000

/**
 * Where a credential may be sent: https, or http to an address of this host.
 *
 * @returns the URL without a `/` at its end.
 * @throws {ChanceryError} `bad_option`.
 */
export function originFor(text: string, name: string): string {
  const url = parsedUrl(text)
  if (!url) throw bad(`${name} is no URL`)
  if (url.username !== '' || url.password !== '') throw bad(`${name} has a user or a password`)
  if (url.search !== '' || url.hash !== '' || /[?#\s\\]/.test(text)) {
    throw bad(`${name} has a query, a fragment or blanks`)
  }
  const isPlain = url.protocol === 'http:' && isLoopback(url.hostname)
  if (url.protocol !== 'https:' && !isPlain) {
    throw bad(`${name} is not https; http only to this host, like http://127.0.0.1:8480`)
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}

function parsedUrl(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

/** A name, `localhost` too, leads where a resolver says; `URL` has made plain addresses of 0x7f.1 and the like. */
function isLoopback(hostname: string): boolean {
  return hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}

/** @throws {ChanceryError} `bad_option`. */
export function timeoutFor(timeoutMs: number): number {
  if (Number.isFinite(timeoutMs) && timeoutMs > 0 && timeoutMs <= longestTimeoutMs) return timeoutMs
  throw bad(`timeoutMs is from 1 to ${longestTimeoutMs}`)
}

/** A part of a path. @throws {ChanceryError} `bad_option`. */
export function segmentFor(text: string, name: string): string {
  if (/^[\w-][\w.-]{0,127}$/.test(text)) return text
  throw bad(`${name} is letters, digits, . _ and -`)
}

/** @throws {ChanceryError} `bad_option`, `credential_unavailable`. */
export async function bearerFor(credential: string | (() => Promise<string>)): Promise<string> {
  const text = typeof credential === 'string' ? credential : await called(credential)
  if (typeof text === 'string' && bearerToken.test(text)) return `Bearer ${text}`
  throw bad('the credential is no token: the text alone, on one line')
}

async function called(credential: () => Promise<string>): Promise<string> {
  try {
    return await credential()
  } catch (cause) {
    throw new ChanceryError('credential_unavailable', 'credential() failed', { cause })
  }
}

function bad(message: string): ChanceryError {
  return new ChanceryError('bad_option', message)
}
