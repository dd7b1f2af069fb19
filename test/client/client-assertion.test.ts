import { once } from 'node:events'
import { createServer } from 'node:http'
import { ConfidentialClientApplication, type INetworkModule } from '@azure/msal-node'
import { decodeJwt, jwtVerify } from 'jose'
import { Provider } from 'oidc-provider'
import { allowInsecureRequests, clientCredentialsGrant, discovery } from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { clientAssertion } from '../../src/client/index.ts'
import { application, type Application } from '../support/application.ts'
import { portOf } from '../support/document-server.ts'
import { homesOfThisFile } from '../support/home.ts'

/** OAuth clients that authenticate by a JWT (RFC 7523): their libraries and a provider, as they come. */

const homes = homesOfThisFile()
const tenant = 'https://login.example/tenant'
const server = createServer()
let issuer: string
let app: Application
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  issuer = `http://127.0.0.1:${portOf(server)}`
  const grant = 'operations: [sign-claims]'
  const keyFor = (name: string, audience: string) =>
    `${name}: { vault: local, alg: RS256, modulusBits: 2048, profile: { name: client-assertion, clientId: acme, audience: ${audience} } }`
  app = await application(homes.copy(), [
    { key: keyFor('partner', issuer), grant },
    { key: keyFor('entra', `${tenant}/oauth2/v2.0/token`), grant },
  ])
  const jwk = z
    .record(z.string(), z.string())
    .parse((await app.home.json(['keys', 'show', 'partner', '--jwk'])).document)
  const answer = providerFor(jwk).callback()
  server.on('request', (request, response) => void answer(request, response))
})
afterAll(async () => {
  await app.serving[Symbol.asyncDispose]()
  server.closeAllConnections()
  server.close()
})

function providerFor(jwk: Readonly<Record<string, string>>): Provider {
  return new Provider(issuer, {
    clients: [
      {
        client_id: 'acme',
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'RS256',
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
        jwks: { keys: [{ ...jwk, kty: 'RSA' }] },
      },
    ],
    clientAuthMethods: ['private_key_jwt'],
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  })
}

describe('an application with openid-client', () => {
  const configuration = async (key: string) => {
    const { authenticate } = clientAssertion(app.client, key)
    const options = { execute: [allowInsecureRequests] }
    // oxlint-disable-next-line typescript/no-misused-promises -- openid-client awaits what its type calls void
    return discovery(new URL(issuer), 'acme', undefined, authenticate, options)
  }

  test('gets its tokens, one after the other: a jti is taken once', async () => {
    const config = await configuration('partner')
    for (let i = 0; i < 2; i += 1) {
      const answer = await clientCredentialsGrant(config)
      expect(answer).toMatchObject({ token_type: 'bearer', access_token: expect.any(String) })
    }
  })

  test('is refused with the key of another client', async () => {
    const asked = clientCredentialsGrant(await configuration('entra'))
    await expect(asked).rejects.toMatchObject({ error: 'invalid_client', status: 401 })
  })
})

describe('an application with MSAL', () => {
  /** A token endpoint of Entra's, which verifies what it is sent. */
  function entra() {
    const jtis: unknown[] = []
    const network: INetworkModule = {
      sendGetRequestAsync: (url) => Promise.reject(new Error(`nobody should ask for ${url}`)),
      async sendPostRequestAsync(url: string, options?: { body?: string }) {
        const form = new URLSearchParams(options?.body)
        expect(form.get('client_assertion_type')).toBe(
          'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        )
        const assertion = form.get('client_assertion') ?? ''
        const { payload } = await jwtVerify(assertion, await app.publicKey('entra'), {
          algorithms: ['RS256'],
          issuer: 'acme',
          subject: 'acme',
          audience: url.replace(/\?.*/, ''),
          currentDate: new Date((decodeJwt(assertion).iat ?? 0) * 1_000),
          maxTokenAge: 1,
        })
        jtis.push(payload.jti)
        const body = JSON.parse(
          '{"token_type":"Bearer","expires_in":3599,"access_token":"entra-token"}',
        )
        return { status: 200, headers: {}, body }
      },
    }
    return { network, jtis }
  }

  test('gets its token by an assertion, and a new one for the next', async () => {
    const { network, jtis } = entra()
    const { assertion } = clientAssertion(app.client, 'entra')
    const cca = new ConfidentialClientApplication({
      auth: {
        clientId: 'acme',
        authority: tenant,
        knownAuthorities: ['login.example'],
        authorityMetadata: JSON.stringify({
          authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
          token_endpoint: `${tenant}/oauth2/v2.0/token`,
          issuer: `${tenant}/v2.0`,
          jwks_uri: `${tenant}/discovery/v2.0/keys`,
          end_session_endpoint: `${tenant}/oauth2/v2.0/logout`,
        }),
        clientAssertion: assertion,
      },
      system: { networkClient: network },
    })
    const scopes = ['https://graph.example/.default']
    const first = await cca.acquireTokenByClientCredential({ scopes })
    expect(first?.accessToken).toBe('entra-token')
    await cca.acquireTokenByClientCredential({ scopes, skipCache: true })
    expect(new Set(jtis).size).toBe(2)
  })
})
