import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type JWK, Provider } from 'oidc-provider'
import type { MemoryKey } from './memory-key.ts'
import { freePort } from './free-port.ts'

export const audience = 'chancery'

const client = { id: 'blog', secret: 'a secret of this test' }

export type TokenWishes = {
  /** Its times begin so many seconds ago. */
  readonly agedSeconds?: number
  readonly audience?: string
  readonly repository?: string
}

/** A real issuer on this host, that can go away, and come back with other keys. */
export interface OidcIssuer extends AsyncDisposable {
  readonly url: string
  /** Signed by the first of its keys for this algorithm; by client credentials, RFC 6749 §4.4. */
  readonly token: (alg: 'RS256' | 'ES256', wishes?: TokenWishes) => Promise<string>
  readonly stop: () => Promise<void>
  readonly start: (keys: Readonly<Record<string, MemoryKey>>) => Promise<void>
}

/** It has a port of its own from the beginning, but listens only once it is started. */
export async function oidcIssuer(): Promise<OidcIssuer> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let server: Server | undefined
  const stop = async () => {
    if (!server) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    server = undefined
    await closed
  }
  return {
    url,
    stop,
    async start(keys) {
      const answer = providerOf(url, keys).callback()
      server = createServer((request, response) => void answer(request, response))
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    token: (alg, wishes = {}) => askForToken(url, alg, wishes),
    [Symbol.asyncDispose]: stop,
  }
}

async function askForToken(url: string, alg: string, wishes: TokenWishes): Promise<string> {
  const resource = new URL('https://resource.example')
  resource.search = new URLSearchParams({ alg, wishes: JSON.stringify(wishes) }).toString()
  const basic = Buffer.from(`${client.id}:${encodeURIComponent(client.secret)}`).toString('base64')
  const response = await fetch(`${url}/token`, {
    method: 'POST',
    headers: { Authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: resource.href }),
  })
  const body: unknown = await response.json()
  if (typeof body === 'object' && body && 'access_token' in body) return String(body.access_token)
  throw new Error(`no token: ${response.status} ${JSON.stringify(body)}`)
}

/** Everything that it would warn of is said here. */
function providerOf(url: string, keys: Readonly<Record<string, MemoryKey>>): Provider {
  return new Provider(url, {
    adapter: () => nowhere,
    ttl: { ClientCredentials: 600 },
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    jwks: { keys: Object.entries(keys).map(([kid, key]) => privateJwk(kid, key)) },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: '',
          audience: wishesOf(resource).audience ?? audience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: algOf(resource) } },
        }),
      },
    },
    formats: {
      customizers: {
        jwt(_, token, { payload }) {
          const { agedSeconds = 0, repository = '1234' } = wishesOf(
            String(token.resourceServer?.identifier()),
          )
          Object.assign(payload, {
            repository_id: repository,
            iat: Number(payload['iat']) - agedSeconds,
            exp: Number(payload['exp']) - agedSeconds,
          })
        },
      },
    },
  })
}

function algOf(resource: string): 'RS256' | 'ES256' {
  return new URL(resource).searchParams.get('alg') === 'ES256' ? 'ES256' : 'RS256'
}

function wishesOf(resource: string): TokenWishes {
  return JSON.parse(new URL(resource).searchParams.get('wishes') ?? '{}')
}

function privateJwk(kid: string, { secret, name }: MemoryKey): JWK {
  const { kty = '', ...members } = secret.export({ format: 'jwk' })
  return { ...members, kty, kid, alg: name, use: 'sig' }
}

const nothing = async () => undefined

/** Its tokens stand on their own: nothing is stored. */
const nowhere = {
  upsert: nothing,
  find: nothing,
  findByUserCode: nothing,
  findByUid: nothing,
  consume: nothing,
  destroy: nothing,
  revokeByGrantId: nothing,
}
