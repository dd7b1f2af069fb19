import { encodeBytes } from '../../lib/bytes.ts'
import { instant } from '../../lib/clock.ts'
import { type PublishedJwk, publishedJwk } from '../../signing/public-jwk.ts'
import { publicKeyFromSpki } from '../../signing/public-key.ts'
import type { AppKey } from './app-key.ts'

/**
 * An app key as Contentful answers it; we do not see when it is used.
 * https://www.contentful.com/developers/docs/references/content-management-api/app-keys/get-an-app-key
 */
export function entityOf(organization: string, key: AppKey): object {
  const createdAt = instant(key.createdAt)
  const by = link('User', key.createdBy)
  return {
    sys: {
      type: 'AppKey',
      id: key.kid,
      organization: link('Organization', organization),
      appDefinition: link('AppDefinition', key.app),
      createdAt,
      createdBy: by,
      updatedAt: createdAt,
      updatedBy: by,
      lastUsedAt: null,
    },
    jwk: key.shape === 'contentful' ? contentfulJwk(key) : cleanJwk(key),
  }
}

/** The JWK for verifiers, RFC 7517: made from the public key itself, whichever shape it came in. */
export function cleanJwk({ spki, kid, alg }: AppKey): PublishedJwk {
  return publishedJwk(publicKeyFromSpki(spki), kid, alg)
}

/** Neither is `x5c` a certificate nor `x5t` its SHA-1: for Contentful's clients, and nobody else. */
function contentfulJwk({ spki, kid, alg }: AppKey): object {
  return { alg, kty: 'RSA', use: 'sig', kid, x5t: kid, x5c: [encodeBytes(spki, 'base64')] }
}

function link(linkType: string, id: string): object {
  return { sys: { type: 'Link', linkType, id } }
}
