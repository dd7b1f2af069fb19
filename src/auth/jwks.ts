import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { z } from 'zod'

/** More would be a document of something else. */
const keysMax = 100

/** The members of a public key that we read (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2); no others reach the library. */
const publicMembers = z.object({
  kty: z.enum(['RSA', 'EC', 'OKP']),
  kid: z.string().max(256).optional(),
  use: z.string().optional(),
  alg: z.string().optional(),
  crv: z.string().optional(),
  x: z.string().optional(),
  y: z.string().optional(),
  n: z.string().optional(),
  e: z.string().optional(),
})

const jwksDocument = z.object({ keys: z.array(z.unknown()).max(keysMax) })

export type PublicKeySet = JWTVerifyGetKey

/**
 * An issuer's keys (RFC 7517 §5). Keys of kinds that we do not know are left out, as §5 says, and
 * symmetric ones with them: whoever read the document could forge with those.
 *
 * @throws {Error} for what is no key set.
 */
export function publicKeySet(document: unknown): PublicKeySet {
  const { keys } = jwksDocument.parse(document)
  const known = keys.flatMap((key) => {
    const parsed = publicMembers.safeParse(key)
    return parsed.success ? [withoutUndefined(parsed.data)] : []
  })
  return createLocalJWKSet({ keys: known })
}

type PublicJwk = JSONWebKeySet['keys'][number]

function withoutUndefined({ kty, ...others }: z.infer<typeof publicMembers>): PublicJwk {
  const present = Object.entries(others).filter(([, value]) => value !== undefined)
  return { ...Object.fromEntries(present), kty }
}

/** The set has no key, or more than one, for a token's header. */
export function hasNoKeyFor(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys
  )
}
