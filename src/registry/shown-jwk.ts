import { z } from 'zod'
import { decodeBase64 } from '../lib/bytes.ts'
import { fingerprints } from '../signing/fingerprint.ts'
import { publicKeyFromJwk, publicMembers } from '../signing/public-jwk.ts'
import { type PublicKey, publicKeyFromSpki } from '../signing/public-key.ts'

/** https://www.contentful.com/developers/docs/references/content-management-api/app-keys/get-an-app-key */
const contentfulShape = z.object({ x5c: z.tuple([z.string().max(16_384)]) })

/**
 * The `contentful` fingerprint of a key that a registry shows, in Contentful's shape or that of
 * RFC 7517; undefined for what cannot be read, of which nothing can be said.
 */
export function shownFingerprint(jwk: unknown): string | undefined {
  try {
    const key = keyIn(jwk)
    return key && fingerprints(key).contentful
  } catch {
    return undefined
  }
}

function keyIn(jwk: unknown): PublicKey | undefined {
  const contentful = contentfulShape.safeParse(jwk)
  if (contentful.success) return publicKeyFromSpki(decodeBase64(contentful.data.x5c[0]))
  const clean = publicMembers.safeParse(jwk)
  return clean.success ? publicKeyFromJwk(clean.data) : undefined
}
