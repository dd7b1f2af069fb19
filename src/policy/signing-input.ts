import { ServiceError } from '../errors.ts'
import { decodeBase64url, decodeLoosely, decodeUtf8 } from '../lib/bytes.ts'
import { type JsonObject, parseJson } from '../lib/json.ts'
import { claimSetComplaint, isJsonObject } from './claim-set.ts'

/** A JWS signing input (RFC 7515 §2): two base64url segments of JSON objects. */
export type ParsedSigningInput = { readonly header: JsonObject; readonly claims: JsonObject }

/**
 * Reads what a verifier will read, as strictly as the strictest of them would. The bytes that are
 * signed later are the ones that were read here, unchanged.
 *
 * @throws {ServiceError} `malformed_signing_input`.
 */
export function parseSigningInput(text: string): ParsedSigningInput {
  const [first, second, ...more] = text.split('.')
  if (!first || !second || more.length > 0) throw malformed('not two base64url segments')
  const [header, claims] = [segment(first, 'header'), segment(second, 'payload')]
  const complaint = claimSetComplaint(claims)
  if (complaint) throw malformed(`payload ${complaint.path}: ${complaint.message}`)
  return { header, claims }
}

/** The text is signed as it stands, and readers round differently: `1.0`, `1e3` are no integers here. */
function hasFraction(json: string): boolean {
  return /\d[.eE]/.test(json.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""'))
}

function segment(text: string, name: 'header' | 'payload'): JsonObject {
  let value: unknown
  let json: string
  try {
    json = decodeUtf8(decodeBase64url(text))
    value = parseJson(json)
  } catch (cause) {
    throw malformed(`the ${name} is not base64url of one JSON object`, cause)
  }
  if (hasFraction(json)) throw malformed(`a number in the ${name} is not written as an integer`)
  if (isJsonObject(value)) return value
  throw malformed(`the ${name} is not a JSON object`)
}

/**
 * The header may say only what the service itself would: `alg` of the key, `typ` JWT and, where the
 * profile has one, `kid`. Everything else a verifier could act on (`crit`, `jku`, `x5u` …) is refused.
 *
 * @returns the `kid` it names, which the caller of this function still has to look at.
 * @throws {ServiceError} `malformed_signing_input`.
 */
export function checkHeader(
  header: JsonObject,
  expected: {
    readonly alg: string
    readonly kidInHeader: boolean
    /** All members have to be there, in whatever order. */
    readonly headerIsExact: boolean
  },
): string | undefined {
  const known = expected.kidInHeader ? ['alg', 'typ', 'kid'] : ['alg', 'typ']
  if (Object.keys(header).some((name) => !known.includes(name))) {
    throw malformed(`the header has members other than ${known.join(', ')}`)
  }
  const missing = expected.headerIsExact && known.find((name) => !Object.hasOwn(header, name))
  if (missing) throw malformed(`the header has no ${missing}`)
  if (header['alg'] !== expected.alg) throw malformed(`the header's alg is not ${expected.alg}`)
  if (Object.hasOwn(header, 'typ') && header['typ'] !== 'JWT') throw malformed('typ is not JWT')
  const { kid } = header
  if (kid === undefined || typeof kid === 'string') return kid
  throw malformed('kid is not a string')
}

/**
 * A belt for `bytes` keys: whether a verifier could take this message for a JWS signing input, that
 * is, whether text in braces, base64-encoded, stands before its first dot. Deliberately wide: with
 * RFC 7797 anything may follow the dot, and readers differ in the base64 and JSON they accept.
 */
export function looksLikeSigningInput(message: Uint8Array): boolean {
  const dot = message.indexOf(0x2e)
  if (dot <= 0) return false
  const text = Buffer.from(message.subarray(0, dot)).toString('latin1')
  if (!/^[\w+/=\s-]+$/.test(text)) return false
  return /^\s*\{[^]*\}\s*$/.test(decodeLoosely(text).replaceAll(encodingMarks, ''))
}

/** Byte order marks, and the zero bytes of UTF-16: a reader that guesses encodings drops them. */
const encodingMarks = /[\0\u00EF\u00BB\u00BF\u00FE\u00FF]/g

function malformed(message: string, cause?: unknown): ServiceError {
  return new ServiceError('malformed_signing_input', `signingInput: ${message}`, { cause })
}
