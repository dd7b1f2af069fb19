import { createPublicKey } from 'node:crypto'
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { z } from 'zod'

/** More would be a document of something else. */
const keysMax = 100

/** RFC 7518 §3.3 asks for the lower one; OpenSSL's work grows with the cube of the size. */
const modulusBits = { min: 2_048, max: 8_192 } as const

const common = {
  kid: z.string().max(256).optional(),
  use: z.string().optional(),
  key_ops: z.array(z.string()).optional(),
  alg: z.string().optional(),
}

/** The members of a public key that we read (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2); no others reach the library. */
const publicMembers = z.discriminatedUnion('kty', [
  z.object({ ...common, kty: z.literal('RSA'), n: z.string(), e: z.string() }),
  z.object({ ...common, kty: z.literal('EC'), crv: z.string(), x: z.string(), y: z.string() }),
  z.object({ ...common, kty: z.literal('OKP'), crv: z.string(), x: z.string() }),
])

const jwksDocument = z.object({ keys: z.array(z.unknown()).max(keysMax) })

export type PublicKeySet = JWTVerifyGetKey

/**
 * An issuer's keys (RFC 7517 §5). Keys that we do not know, or that cannot be used, are left out, as §5
 * says, and symmetric ones with them: whoever read the document could forge with those.
 *
 * @throws {Error} for what is no key set.
 */
export function publicKeySet(document: unknown): PublicKeySet {
  const { keys } = jwksDocument.parse(document)
  return createLocalJWKSet({ keys: keys.flatMap(usableKey) })
}

type PublicJwk = JSONWebKeySet['keys'][number]

function usableKey(value: unknown): readonly PublicJwk[] {
  const parsed = publicMembers.safeParse(value)
  if (!parsed.success) return []
  const { kty, ...others } = parsed.data
  const present = Object.entries(others).filter(([, member]) => member !== undefined)
  const key = { ...Object.fromEntries(present), kty }
  return isUsable(key) ? [key] : []
}

function isUsable(key: PublicJwk): boolean {
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key, format: 'jwk' })
    const bits = asymmetricKeyDetails?.modulusLength ?? modulusBits.min
    return bits >= modulusBits.min && bits <= modulusBits.max
  } catch {
    return false // a point that is not on its curve, a curve that nobody knows
  }
}

/** The set has no key, or more than one, for a token's header. */
export function hasNoKeyFor(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys
  )
}
