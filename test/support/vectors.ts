import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { type PublicKey, publicKeyFromSpki, spkiOf } from '../../src/signing/public-key.ts'

/** The data of `test/vectors/`, whose README names the sources. */

const publicMembers = z.union([
  z.strictObject({ kty: z.literal('RSA'), n: z.string(), e: z.string() }),
  z.strictObject({ kty: z.literal('EC'), crv: z.string(), x: z.string(), y: z.string() }),
  z.strictObject({ kty: z.literal('OKP'), crv: z.string(), x: z.string() }),
])

const fingerprintFile = z.object({
  vectors: z.array(
    z.object({
      name: z.string(),
      publicPem: z.string(),
      publicDerBase64: z.string(),
      jwk: publicMembers,
      expected: z.object({
        icr: z.string(),
        githubDisplay: z.string(),
        contentfulKid: z.string(),
        jwkThumbprint: z.string(),
        sshSha256: z.string().nullish(),
        spkiSha256HexColon: z.string(),
      }),
      mustNotEqual: z.record(z.string(), z.string()),
    }),
  ),
  hs256: z.array(
    z.object({
      keyHex: z.string(),
      keyId: z.string(),
      signingInput: z.string(),
      signatureBase64url: z.string(),
    }),
  ),
})

const rfcFile = z.object({
  signatures: z.array(
    z.object({
      section: z.string(),
      alg: z.enum(['RS256', 'PS384', 'ES256', 'ES512', 'EdDSA']),
      jwk: publicMembers,
      signingInput: z.string(),
      signature: z.string(),
    }),
  ),
  /** Deterministic algorithms, with the secret that makes the answer. */
  knownAnswers: z.array(
    z.object({
      section: z.string(),
      alg: z.enum(['EdDSA', 'HS256']),
      jwk: z.union([
        z.strictObject({ kty: z.literal('OKP'), crv: z.string(), d: z.string(), x: z.string() }),
        z.strictObject({ kty: z.literal('oct'), k: z.string() }),
      ]),
      signingInput: z.string(),
      signature: z.string(),
    }),
  ),
  thumbprints: z.array(
    z.object({ section: z.string(), jwk: publicMembers, thumbprint: z.string() }),
  ),
})

export const fingerprintVectors = read('fingerprint-vectors.json', fingerprintFile)
export const rfcVectors = read('rfc-jose.json', rfcFile)

function read<T>(name: string, schema: z.ZodType<T>): T {
  return schema.parse(
    JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8')),
  )
}

/** The way every public key comes in: as SPKI. */
export function publicKeyOfJwk(jwk: z.infer<typeof publicMembers>): PublicKey {
  return publicKeyFromSpki(spkiOf(createPublicKey({ key: jwk, format: 'jwk' })))
}
