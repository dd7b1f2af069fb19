import { type LookupAddress, lookup, type LookupAllOptions } from 'node:dns'
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { decodeUtf8 } from './bytes.ts'
import { deadline, within } from './deadline.ts'
import { parseJson } from './json.ts'
import { type AddressKind, addressKind, type Destination } from './destination.ts'

/** Leaves a request, which waits for it, the time to say so. */
const fetchMs = 3_000

const documentBytesMax = 1_048_576

/** Gets a JSON document. */
export type FetchDocument = (destination: Destination, signal: AbortSignal) => Promise<unknown>

/**
 * One GET, without credentials, cookies, redirects, proxies or compression; at most so long and so
 * large. The address that was looked at is the one that is connected to.
 *
 * @throws {Error} of any kind: what is wrong is for the log.
 */
export async function fetchDocument(
  destination: Destination,
  signal: AbortSignal,
): Promise<unknown> {
  using limit = deadline(fetchMs, signal)
  const response = await within(answerTo(destination, limit.signal), limit.signal)
  try {
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`)
    const bytes = await within(readBody(response), limit.signal)
    return parseJson(decodeUtf8(bytes))
  } finally {
    response.destroy()
  }
}

function answerTo({ url, kinds }: Destination, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const isTls = url.protocol === 'https:'
  // An agent of its own: the global one may have been told of a proxy by the environment.
  const agent = isTls ? new Agent({ keepAlive: false }) : new HttpAgent({ keepAlive: false })
  const headers = { Accept: 'application/json', 'User-Agent': 'chancery' }
  // Written out, so that NODE_TLS_REJECT_UNAUTHORIZED means nothing here.
  const options = { agent, headers, signal, rejectUnauthorized: true, lookup: pinnedLookup(kinds) }
  const request = isTls ? httpsRequest(url, options) : httpRequest(url, options)
  request.once('response', resolve)
  request.on('error', reject)
  request.end()
  return promise
}

type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void

/** Refuses a name when any of its addresses is of another kind: an attacker could choose which one is tried. */
export function pinnedLookup(
  kinds: readonly AddressKind[],
  resolve: Resolve = lookup,
): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '')
      const wrong = addresses.find(({ address }) => !kinds.includes(addressKind(address)))
      const [first] = addresses
      if (wrong || !first) return callback(new Error('the name leads to a forbidden address'), '')
      if (options.all) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
}

async function readBody(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk)
    length += bytes.length
    if (length > documentBytesMax) throw new Error(`more than ${documentBytesMax} bytes`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}
