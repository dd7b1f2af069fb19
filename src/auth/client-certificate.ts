import type { X509Certificate } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import type { Authenticator, ClientCertificate } from './caller.ts'

/** What a certificate says of its owner; the common name is not looked at. */
export function clientCertificate(certificate: X509Certificate): ClientCertificate {
  const uris = urisOf(certificate.subjectAltName ?? '')
  return { uris, validUntil: certificate.validToDate.getTime() }
}

/**
 * Node writes `URI:spiffe://acme/blog, DNS:blog.acme` and quotes whatever holds a comma, a quote or a
 * control character: https://nodejs.org/api/crypto.html#x509subjectaltname. A text without a quote
 * can therefore be taken apart at its commas; one with a quote names nobody whom we could configure.
 */
function urisOf(subjectAltName: string): readonly string[] {
  if (subjectAltName.includes('"')) return []
  const names = subjectAltName.split(', ')
  return names.filter((name) => name.startsWith('URI:')).map((name) => name.slice('URI:'.length))
}

/** Exactly one URI, equal to a caller's, byte for byte. */
export function certificateAuthenticator(
  callers: readonly { readonly name: string; readonly uri: string }[],
  clock: Clock,
): Authenticator<ClientCertificate> {
  const byUri = new Map(
    callers.map(({ name, uri }) => [uri, { name, attributes: { uri, name } }] as const),
  )
  return {
    async authenticate({ uris: [uri, ...others], validUntil }) {
      if (clock.now() > validUntil) return { refused: 'certificate_expired' }
      if (uri === undefined || others.length > 0) return { refused: 'not_one_uri' }
      const caller = byUri.get(uri)
      return caller ? { caller } : { refused: 'unknown_uri' }
    },
  }
}
