import { z } from 'zod'
import { ServiceError } from '../errors.ts'
import type { PublicKey } from './public-key.ts'

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/)

/** The allow-list: parsing drops every other member, so a private one cannot slip through. */
const publicMembers = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('RSA'), n: base64url, e: base64url }),
  z.object({
    kty: z.literal('EC'),
    crv: z.enum(['P-256', 'P-384', 'P-521', 'secp256k1']), // the last has fingerprints, no algorithm
    x: base64url,
    y: base64url,
  }),
  z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: base64url }),
])

export type PublicJwk = z.infer<typeof publicMembers>

/**
 * The RFC-clean public JWK: RFC 7517, with the members of RFC 7518 §6 and RFC 8037 §2, coordinates
 * at full width. It is made from a `KeyObject` of type public, never from a vault's own JWK.
 *
 * @throws {ServiceError} `vault_key_unusable` for a private key or an unknown type.
 */
export function publicJwk({ object }: PublicKey): PublicJwk {
  if (object.type !== 'public') throw new ServiceError('vault_key_unusable', 'Not a public key')
  const parsed = publicMembers.safeParse(object.export({ format: 'jwk' }))
  if (parsed.success) return parsed.data
  throw new ServiceError('vault_key_unusable', 'The public key has an unknown type')
}

/** What a JWKS lists: the JWK with the members that tell a verifier what it is for. */
export type PublishedJwk = PublicJwk & {
  readonly kid: string
  readonly alg: string
  readonly use: 'sig'
}

export function publishedJwk(key: PublicKey, kid: string, alg: string): PublishedJwk {
  return { ...publicJwk(key), kid, alg, use: 'sig' }
}
