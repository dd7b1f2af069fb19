/** Who is asking, after proof. */
export type Caller = {
  readonly name: string
  /** What the proof says of the caller; `fromCaller` rules compare with these. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>
}

/** A client certificate that the TLS handshake found to be signed by the configured authority. */
export type ClientCertificate = {
  /** Its subject alternative names of the kind URI (RFC 5280 §4.2.1.6), as they are. */
  readonly uris: readonly string[]
  /** Epoch milliseconds. A connection may outlive its certificate. */
  readonly validUntil: number
}

/** What came with a request to prove who sent it; exactly one. */
export type Credential =
  | { readonly kind: 'bearer'; readonly text: string }
  | { readonly kind: 'certificate'; readonly certificate: ClientCertificate }

/** Why a credential proves nothing: for the log and the metrics, never for whoever sent it. */
export const authenticationFailures = [
  'no_credential',
  'malformed',
  'unknown_api_key',
  'unknown_issuer',
  'algorithm_not_listed',
  'unknown_signing_key',
  'bad_signature',
  'expired',
  'not_yet_valid',
  'lives_too_long',
  'wrong_audience',
  'no_caller_matches',
  'two_callers_match',
  'certificate_expired',
  'not_one_uri',
  'unknown_uri',
] as const
export type AuthenticationFailure = (typeof authenticationFailures)[number]

export type Proof = { readonly caller: Caller } | { readonly refused: AuthenticationFailure }

/** One way to prove who one is. */
export interface Authenticator<C> {
  /** @throws {ServiceError} `issuer_unavailable` when it cannot be told. */
  authenticate(credential: C, signal: AbortSignal): Promise<Proof>
}

/** Every way that callers are configured to prove themselves; a bearer is told by its first letters. */
export function authenticator(ways: {
  readonly apiKey: Authenticator<string>
  readonly oidc: Authenticator<string>
  readonly certificate: Authenticator<ClientCertificate>
}): Authenticator<Credential> {
  return {
    async authenticate(credential, signal) {
      if (credential.kind === 'certificate') {
        return ways.certificate.authenticate(credential.certificate, signal)
      }
      const { text } = credential
      return (text.startsWith('chn_') ? ways.apiKey : ways.oidc).authenticate(text, signal)
    },
  }
}
