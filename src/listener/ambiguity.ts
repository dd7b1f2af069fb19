import type { IncomingMessage } from 'node:http'
import { ServiceError } from '../errors.ts'

/** Two readings of one request are how requests are smuggled: none of these has an honest use. */
export function ambiguity(
  { headers, rawHeaders, url = '' }: IncomingMessage,
  isHostReadable: boolean,
): ServiceError | undefined {
  const isReadable = isHostReadable && /^\/[^\\?]*(?:\?|$)/.test(url)
  // Node has joined headers of one name: as many as were sent means that none was sent twice.
  const isPlain = Object.keys(headers).length * 2 === rawHeaders.length
  if (isPlain && isReadable) return undefined
  const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
  const isTwice = (name: string) => names.indexOf(name) !== names.lastIndexOf(name)
  if (isTwice('authorization')) {
    return new ServiceError('two_credentials', 'Send one Authorization header')
  }
  if (isReadable && !onceOnly.some(isTwice)) return undefined
  return new ServiceError('malformed_request', 'Send a path, one valid Host, and each header once')
}

/**
 * Whether a Host makes a URL; the adapter would answer anything else by an empty 400, and read on.
 * Callers send the same one again and again: the last good one is not parsed a second time.
 */
export function hostReader(): (host: string | undefined) => boolean {
  let good = ''
  return (host = '') => {
    if (host !== '' && host === good) return true
    const name = host.replace(/:\d+$/, '').toLowerCase()
    if (URL.parse(`http://${host}`)?.hostname !== name) return false
    good = host
    return true
  }
}

const onceOnly = ['host', 'content-length', 'transfer-encoding', 'content-type']
