import { z } from 'zod'
import { decodeBase64url, decodeUtf8 } from '../lib/bytes.ts'
import { parseJson } from '../lib/json.ts'

/** What a token says before anybody has checked it. */
export type UnverifiedToken = { readonly alg: string; readonly issuer: string }

/**
 * Members of a header that would have us fetch or believe something (RFC 7515 §4.1), and extensions
 * that we do not understand: no honest issuer of access tokens needs them.
 */
const header = z.looseObject({
  alg: z.string(),
  typ: z
    .string()
    .regex(/^(?:at\+|application\/at\+)?jwt$/i)
    .optional(),
  // Of any letters, since issuers use base64 with its `=` and `/`: it is looked up, and goes nowhere.
  kid: z.string().max(256).optional(),
  crit: z.never().optional(),
  b64: z.never().optional(),
  jku: z.never().optional(),
  jwk: z.never().optional(),
  x5u: z.never().optional(),
})

const payload = z.looseObject({ iss: z.string() })

/** Three strict base64url segments of strict JSON; undefined for anything that two readers could read differently. */
export function readUnverified(token: string): UnverifiedToken | undefined {
  const segments = token.split('.')
  const [first = '', second = ''] = segments
  if (segments.length !== 3) return undefined
  try {
    const { alg } = header.parse(json(first))
    decodeBase64url(segments[2] ?? '')
    return { alg, issuer: payload.parse(json(second)).iss }
  } catch {
    return undefined
  }
}

function json(segment: string): unknown {
  return parseJson(decodeUtf8(decodeBase64url(segment)))
}
