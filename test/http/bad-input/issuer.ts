import { constants, createHmac, type KeyObject, sign } from 'node:crypto'
import { publicKeySet } from '../../../src/auth/jwks.ts'
import type { OidcCaller } from '../../../src/auth/oidc.ts'
import { memoryKeyPair } from '../../support/memory-key.ts'
import { b64, now } from './row.ts'

/** An issuer with two keys, and whatever somebody else makes of its tokens. */

export const issuer = 'https://issuer.example'
const ours = memoryKeyPair('RS256')
const elliptic = memoryKeyPair('ES256')
const forger = memoryKeyPair('RS256', 'other')

export const loadKeys = () =>
  Promise.resolve(
    publicKeySet({
      keys: [
        { ...ours.publicKey.object.export({ format: 'jwk' }), kid: 'rsa' },
        { ...elliptic.publicKey.object.export({ format: 'jwk' }), kid: 'ec', alg: 'ES256' },
      ],
    }),
  )

const caller = { issuer, audience: 'chancery', algorithms: ['RS256'], lifetimeSecondsMax: 3_600 }

/** `billing` has grants; a token may match both of the others. */
export const oidcCallers: readonly OidcCaller[] = [
  { ...caller, name: 'billing', match: { repository_id: '1234', environment: 'prod' } },
  { ...caller, name: 'by-team', match: { team: 'blue' } },
  { ...caller, name: 'by-region', match: { region: 'north' } },
]

const goodToken = {
  iss: issuer,
  aud: 'chancery',
  iat: now,
  exp: now + 600,
  repository_id: '1234',
  environment: 'prod',
}

type Made = {
  readonly header?: object
  /** Instead of the header's JSON. */
  readonly headerText?: string
  readonly payloadText?: string
  readonly by?: (signingInput: string) => Uint8Array
  /** What becomes of the whole token. */
  readonly change?: (token: string) => string
}

/** A token of the issuer that is good but for this. */
export function token(payload: object, made: Made = {}): { readonly authorization: string } {
  const { header, by = rs256(ours.secret), change = (text) => text } = made
  const head = made.headerText ?? { alg: 'RS256', typ: 'JWT', kid: 'rsa', ...header }
  const signed = `${b64(head)}.${b64(made.payloadText ?? { ...goodToken, ...payload })}`
  const signature = Buffer.from(by(signed)).toString('base64url')
  return { authorization: `Bearer ${change(`${signed}.${signature}`)}` }
}

function rs256(key: KeyObject): (text: string) => Uint8Array {
  return (text) => sign('sha256', Buffer.from(text), key)
}

/** With a key of the forger's own. */
export const forged = rs256(forger.secret)

export const forgedJwk = forger.publicKey.object.export({ format: 'jwk' })

/** The secret is what everybody knows: the issuer's public key, as PEM text. */
export function hmacWithPublicKey(text: string): Uint8Array {
  const pem = ours.publicKey.object.export({ type: 'spki', format: 'pem' })
  return createHmac('sha256', pem).update(text).digest()
}

/** The right key and hash, and another padding. */
export function pssPadded(text: string): Uint8Array {
  const padding = constants.RSA_PKCS1_PSS_PADDING
  return sign('sha256', Buffer.from(text), { key: ours.secret, padding, saltLength: 32 })
}

export function rs512(text: string): Uint8Array {
  return sign('sha512', Buffer.from(text), ours.secret)
}

export function es256(text: string): Uint8Array {
  return sign('sha256', Buffer.from(text), { key: elliptic.secret, dsaEncoding: 'ieee-p1363' })
}

export function unsigned(): Uint8Array {
  return new Uint8Array()
}
