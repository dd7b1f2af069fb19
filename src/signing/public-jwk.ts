import { createPublicKey } from 'node:crypto'
import { z } from 'zod'
import { ServiceError } from '../errors.ts'
import { type PublicKey, publicKeyFromSpki, spkiOf } from './public-key.ts'

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/)

/** The allow-list: parsing drops every other member, so a private one cannot slip through. */
export const publicMembers = z.discriminatedUnion('kty', [
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

/**
 * A public JWK as a key: its members as RFC 7518 §6 writes them and in no other way, since Node reads
 * padding, leading zeros and stray bits, too, and two texts would be one key pair.
 *
 * @throws {ServiceError} `vault_key_unusable`.
 */
export function publicKeyFromJwk(jwk: PublicJwk): PublicKey {
  const key = publicKeyFromSpki(spkiOf(readJwk(jwk)))
  const written = Object.entries(publicJwk(key))
  const sent = new Map(Object.entries(jwk))
  if (written.every(([name, value]) => sent.get(name) === value)) return key
  throw new ServiceError('vault_key_unusable', 'The JWK is not written as RFC 7518 says')
}

function readJwk(jwk: PublicJwk) {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch (cause) {
    throw new ServiceError('vault_key_unusable', 'The public key cannot be read', { cause })
  }
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
