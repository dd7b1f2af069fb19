import type { ChanceryClient } from './client.ts'

/** https://www.rfc-editor.org/rfc/rfc7523#section-2.2 */
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export type ClientAssertion = {
  /** `auth.clientAssertion` of `@azure/msal-node`. */
  readonly assertion: () => Promise<string>
  /** The `ClientAuth` that `openid-client` takes in place of `PrivateKeyJwt`. */
  readonly authenticate: (
    server: object,
    client: { readonly client_id: string },
    body: URLSearchParams,
    headers: Headers,
  ) => Promise<void>
}

/**
 * Authenticates an OAuth client by a JWT of the key, whose profile is `client-assertion`. Each is
 * signed anew: a server may take every `jti` once only (RFC 7523 §3), and clients keep the access
 * token that they get for it.
 */
export function clientAssertion(client: ChanceryClient, key: string): ClientAssertion {
  const assertion = async () => (await client.sign(key, { claims: {} })).jwt
  return {
    assertion,
    async authenticate(_server, { client_id }, body) {
      body.set('client_id', client_id)
      body.set('client_assertion_type', assertionType)
      body.set('client_assertion', await assertion())
    },
  }
}
