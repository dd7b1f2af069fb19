import { apiKeyAuthenticator } from '../auth/api-key.ts'
import { type Authenticator, authenticator, type Caller, type Credential } from '../auth/caller.ts'
import { certificateAuthenticator } from '../auth/client-certificate.ts'
import { IssuerKeys } from '../auth/issuer-keys.ts'
import { keyLoader } from '../auth/key-source.ts'
import { oidcAuthenticator } from '../auth/oidc.ts'
import type { ConfiguredCaller, OidcSettings } from '../config/config.ts'
import { ServiceError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { fetchDocument } from '../lib/fetch-document.ts'
import type { Logger } from '../lib/log.ts'

/** The caller as if it had shown all its proofs, for whoever wants to know what it may do. */
export function provedCaller({ name, oidc, certificateUri }: ConfiguredCaller): Caller {
  const uri = certificateUri === undefined ? {} : { uri: certificateUri }
  return { name, attributes: { ...oidc?.match, ...uri, name } }
}

/**
 * The keys of issuers that stand in files; those that are fetched are read when a token needs them.
 *
 * @throws {ServiceError} `config_invalid`.
 */
export async function checkKeyFiles(callers: readonly ConfiguredCaller[]): Promise<void> {
  for (const { oidc } of callers) {
    if (oidc?.keys.kind !== 'file') continue
    const { issuer, keys } = oidc
    const { file } = oidc.keys
    await keyLoader(issuer, keys, fetchDocument)().catch((cause: unknown) => {
      const message = `${file} is no readable JWKS: write the one of ${issuer} to it`
      throw new ServiceError('config_invalid', message, { cause })
    })
  }
}

/** Every way to prove who one is that the configuration has a caller for. */
export function callerAuthenticator(
  callers: readonly ConfiguredCaller[],
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Authenticator<Credential> {
  const byToken = callers.flatMap(({ name, oidc }) => (oidc ? [{ name, ...oidc }] : []))
  const byCertificate = callers.flatMap(({ name, certificateUri: uri }) =>
    uri === undefined ? [] : [{ name, uri }],
  )
  const issuerKeys = ({ issuer, keys }: OidcSettings) =>
    new IssuerKeys({
      load: keyLoader(issuer, keys, fetchDocument),
      clock,
      onFailure: (error) => log.error('the keys of an issuer cannot be read', error, { issuer }),
    })
  return authenticator({
    apiKey: apiKeyAuthenticator(callers),
    oidc: oidcAuthenticator({
      callers: byToken,
      // One issuer has its keys in one place: the configuration has seen to that.
      keysOf: new Map(byToken.map((caller) => [caller.issuer, issuerKeys(caller)])),
      clock,
    }),
    certificate: certificateAuthenticator(byCertificate, clock),
  })
}
