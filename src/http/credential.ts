import { TLSSocket } from 'node:tls'
import type { Context } from 'hono'
import type { ClientCertificate, Credential } from '../auth/caller.ts'
import { clientCertificate } from '../auth/client-certificate.ts'
import { ServiceError } from '../errors.ts'

/** RFC 6750 §2.1; the token's alphabet keeps everything else out of what reads it. */
const bearerHeader = /^Bearer +([\w.~+/=-]{1,8192})$/i

/**
 * The one credential that came with a request; undefined for none, or for one that has no form we know.
 *
 * @throws {ServiceError} `two_credentials`.
 */
export function credentialOf({ env, req }: Context): Credential | undefined {
  const authorization = req.header('authorization')
  const certificate = certificateOf(env?.incoming?.socket)
  if (authorization !== undefined && certificate) {
    const message = 'Send Authorization or a client certificate, not both'
    throw new ServiceError('two_credentials', message)
  }
  if (certificate) return { kind: 'certificate', certificate }
  const text = bearerHeader.exec(authorization ?? '')?.[1]
  return text === undefined ? undefined : { kind: 'bearer', text }
}

/** A certificate is read once per connection; reading one costs 0.1 ms. */
const read = new WeakMap<TLSSocket, ClientCertificate | undefined>()

/** Only one that the configured authority signed: the listener closes a connection with any other. */
function certificateOf(socket: unknown): ClientCertificate | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  if (!read.has(socket)) {
    const x509 = socket.getPeerX509Certificate()
    read.set(socket, x509 && clientCertificate(x509))
  }
  return read.get(socket)
}
