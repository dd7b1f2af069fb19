import { encodeBytes } from '../lib/bytes.ts'
import { pause } from '../lib/deadline.ts'
import { fingerprints } from '../signing/fingerprint.ts'
import type { PublicKey } from '../signing/public-key.ts'
import { type AppKeyAddress, appKeyApi } from './app-key-api.ts'
import { appKeyRegistry } from './app-keys.ts'
import { type Registry, registryFacts } from './registry.ts'

/** A public key as Contentful takes it. */
export type ContentfulJwk = {
  readonly alg: 'RS256'
  readonly kty: 'RSA'
  readonly use: 'sig'
  readonly kid: string
  readonly x5t: string
  readonly x5c: readonly [string]
}

/**
 * https://www.contentful.com/developers/docs/references/content-management-api/app-keys/create-a-new-app-key
 * `x5c` is the bare SubjectPublicKeyInfo and no certificate, `x5t` no SHA-1: for Contentful, and nobody else.
 */
export function contentfulJwk(publicKey: PublicKey): ContentfulJwk {
  const { contentful: kid } = fingerprints(publicKey)
  const x5c = [encodeBytes(publicKey.spki, 'base64')] as const
  return { alg: 'RS256', kty: 'RSA', use: 'sig', kid, x5t: kid, x5c }
}

/** An app at Contentful itself; `waiting` is for tests. */
export function contentfulRegistry(address: AppKeyAddress, waiting = pause): Registry {
  return appKeyRegistry(appKeyApi(address, waiting), {
    facts: registryFacts.contentful,
    jwk: ({ publicKey }) => contentfulJwk(publicKey),
    propagationMs: undefined, // who verifies is Contentful itself
    pause: waiting,
  })
}
