import { hash } from 'node:crypto'
import { type Bytes, concatBytes, decodeBase64url, utf8 } from '../lib/bytes.ts'
import { type PublicJwk, publicJwk } from './public-jwk.ts'
import type { PublicKey } from './public-key.ts'

/** A bare, unnamed fingerprint never appears: many different strings are called that. */
export const fingerprintNames = [
  'contentful',
  'github',
  'icr',
  'rfc7638',
  'ssh',
  'spki-sha256-hex',
] as const
export type FingerprintName = (typeof fingerprintNames)[number]
/** `ssh` has no form for secp256k1. */
export type Fingerprints = { readonly [name in Exclude<FingerprintName, 'ssh'>]: string } & {
  readonly ssh?: string
}

/** Every named digest of one public key (DESIGN §2). */
export function fingerprints(key: PublicKey): Fingerprints {
  const der = key.spki
  return {
    contentful: hash('sha256', der, 'base64url'),
    github: `SHA256:${hash('sha256', der, 'base64')}`,
    // ICR hashes the PEM text with its final newline, as Node and openssl write it.
    icr: hash('sha256', spkiPem(key), 'base64'),
    rfc7638: thumbprint(key),
    ...ssh(key),
    'spki-sha256-hex': hash('sha256', der, 'hex').replace(/(..)(?!$)/g, '$1:'),
  }
}

/** PEM SubjectPublicKeyInfo with its final newline. */
export function spkiPem({ object }: PublicKey): string {
  return object.export({ type: 'spki', format: 'pem' }).toString()
}

/** JWK thumbprint, RFC 7638 §3: exactly the required members, in lexical order. */
function thumbprint(key: PublicKey): string {
  return hash('sha256', JSON.stringify(requiredMembers(publicJwk(key))), 'base64url')
}

function requiredMembers(jwk: PublicJwk): object {
  switch (jwk.kty) {
    case 'RSA':
      return { e: jwk.e, kty: jwk.kty, n: jwk.n }
    case 'EC':
      return { crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }
    case 'OKP':
      return { crv: jwk.crv, kty: jwk.kty, x: jwk.x }
  }
}

function ssh(key: PublicKey): Pick<Fingerprints, 'ssh'> {
  const blob = sshBlob(publicJwk(key))
  if (!blob) return {}
  return { ssh: `SHA256:${hash('sha256', blob, 'base64').replace(/=+$/, '')}` }
}

/** The SSH wire form: RFC 4253 §6.6 (RSA), RFC 5656 §3.1 (ECDSA), RFC 8709 §4 (Ed25519). */
function sshBlob(jwk: PublicJwk): Bytes | undefined {
  switch (jwk.kty) {
    case 'RSA':
      return concatBytes(sshString('ssh-rsa'), sshInteger(jwk.e), sshInteger(jwk.n))
    case 'EC': {
      if (jwk.crv === 'secp256k1') return undefined
      const curve = `nistp${jwk.crv.slice(2)}`
      const point = concatBytes(Uint8Array.of(4), decodeBase64url(jwk.x), decodeBase64url(jwk.y))
      return concatBytes(sshString(`ecdsa-sha2-${curve}`), sshString(curve), sshString(point))
    }
    case 'OKP':
      return concatBytes(sshString('ssh-ed25519'), sshString(decodeBase64url(jwk.x)))
  }
}

function sshString(value: string | Uint8Array): Bytes {
  const bytes = typeof value === 'string' ? utf8(value) : value
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, bytes.length)
  return concatBytes(length, bytes)
}

/** An SSH mpint is signed: a leading one bit needs a zero byte before it (RFC 4251 §5). */
function sshInteger(base64url: string): Bytes {
  const bytes = decodeBase64url(base64url)
  const first = bytes[0] ?? 0
  return sshString(first >= 0x80 ? concatBytes(Uint8Array.of(0), bytes) : bytes)
}
