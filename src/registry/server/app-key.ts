import type { AlgorithmName } from '../../signing/algorithms.ts'
import type { Bytes } from '../../lib/bytes.ts'

/** How a public key was sent, and is answered: Contentful's own form, or an RFC 7517 JWK. */
export const keyShapes = ['contentful', 'rfc7517'] as const

/** A public key as it came in. */
export type NewKey = {
  /** The `contentful` fingerprint of the SPKI, in both shapes. */
  readonly kid: string
  readonly alg: AlgorithmName
  readonly shape: (typeof keyShapes)[number]
  /** DER SubjectPublicKeyInfo: the identity of the key pair. */
  readonly spki: Bytes
}

/** A public key that is registered for an app. */
export type AppKey = NewKey & {
  readonly app: string
  readonly createdAt: number
  /** The id of the token. */
  readonly createdBy: string
}
