import type { KeyObject } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { errors, type JWTPayload, jwtVerify } from 'jose'
import { documentServer } from './document-server.ts'

/** What each of them demands of an app's JWT, and says when it does not get it. */
type Rules = {
  readonly publicKey: KeyObject
  readonly issuer: string
  /** Epoch milliseconds, by the registry's clock. */
  readonly now: () => number
}

/** A registry's API for apps: JWTs are verified as its documents say, and by its own clock. */
export type FakeRegistry = AsyncDisposable & {
  readonly url: string
  /** The JWTs that it took, in order. */
  readonly jwts: readonly string[]
  readonly requests: readonly string[]
}

export type Route = {
  readonly method: string
  readonly path: RegExp
  readonly status: number
  /** Who may ask: an app by its JWT, or an installation by one of the tokens. */
  readonly by: 'jwt' | 'token'
  readonly body: (match: RegExpExecArray, now: number) => object
  readonly headers?: Readonly<Record<string, string>>
}

export const tokens = { app: 'app-token', installation: 'installation-token' } as const

export async function fakeRegistry(
  routes: readonly Route[],
  rules: Rules & {
    /** By what GitHub, Contentful or ICR would refuse this; undefined to take it. */
    readonly refusal: (verified: Verified) => string | undefined
    readonly error: (message: string) => object
  },
): Promise<FakeRegistry> {
  const jwts: string[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const route = routes.find(
      ({ method, path }) => method === request.method && path.test(request.url ?? ''),
    )
    const match = route?.path.exec(request.url ?? '')
    if (!route || !match) return send(response, rules, 404, rules.error('Not Found'))
    const bearer = /^(?:bearer|token) (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const refusal = await refusalOf(route, bearer, rules)
    if (refusal !== undefined) return send(response, rules, 401, rules.error(refusal))
    const missing = Object.entries(route.headers ?? {}).find(
      ([name, value]) => request.headers[name] !== value,
    )
    if (missing) return send(response, rules, 400, rules.error(`no ${missing[0]}`))
    if (route.by === 'jwt') jwts.push(bearer)
    return send(response, rules, route.status, route.body(match, rules.now()))
  }
  const server = await documentServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  return {
    url: server.url,
    jwts,
    requests: server.asked,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

export type Verified = {
  readonly payload: JWTPayload
  readonly header: Readonly<Record<string, unknown>>
  readonly nowSeconds: number
}

async function refusalOf(
  { by }: Route,
  bearer: string,
  rules: Parameters<typeof fakeRegistry>[1],
): Promise<string | undefined> {
  if (by === 'token') {
    return bearer === tokens.installation || bearer === tokens.app ? undefined : 'Bad credentials'
  }
  const nowSeconds = Math.floor(rules.now() / 1_000)
  try {
    const { payload, protectedHeader } = await jwtVerify(bearer, rules.publicKey, {
      algorithms: ['RS256'],
      issuer: rules.issuer,
      currentDate: new Date(0), // instants are for the registry's own rules
      requiredClaims: ['iat', 'exp'],
    })
    return rules.refusal({ payload, header: { ...protectedHeader }, nowSeconds })
  } catch (error) {
    if (error instanceof errors.JOSEError) return 'A JSON web token could not be decoded'
    throw error
  }
}

function send(response: ServerResponse, { now }: Rules, status: number, body: object): void {
  response.writeHead(status, {
    'Content-Type': 'application/json',
    Date: new Date(now()).toUTCString(),
  })
  response.end(JSON.stringify(body))
}

const lifetimeSecondsMax = 600

/**
 * https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
 * The words are GitHub's: its own client recognises a wrong clock by them.
 */
export function fakeGithub(rules: Rules): Promise<FakeRegistry> {
  const expiresAt = (now: number) => new Date(now + 3_600_000).toISOString()
  const routes: readonly Route[] = [
    { method: 'GET', path: /^\/app$/, status: 200, by: 'jwt', body: () => ({ slug: 'acme-bot' }) },
    {
      method: 'POST',
      path: /^\/app\/installations\/(\d+)\/access_tokens$/,
      status: 201,
      by: 'jwt',
      body: (_, now) => ({
        token: tokens.installation,
        expires_at: expiresAt(now),
        permissions: { metadata: 'read' },
        repository_selection: 'all',
      }),
    },
    {
      method: 'GET',
      path: /^\/installation\/repositories$/,
      status: 200,
      by: 'token',
      body: () => ({ total_count: 1, repositories: [{ name: 'blog' }] }),
    },
  ]
  return fakeRegistry(routes, {
    ...rules,
    error: (message) => ({ message, documentation_url: 'https://docs.github.com/rest' }),
    refusal({ payload: { iat = 0, exp = 0 }, header, nowSeconds }) {
      if (Object.keys(header).toSorted().join() !== 'alg,typ') return 'Bad header'
      if (!Number.isInteger(iat) || iat > nowSeconds) {
        return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
      }
      if (exp <= nowSeconds) {
        return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
      }
      if (exp - nowSeconds > lifetimeSecondsMax) {
        return "'Expiration time' claim ('exp') is too far in the future"
      }
      return undefined
    },
  })
}

/**
 * https://documentation.carbonregistry.com/documentation/carbonregistry.com/apps-and-integrations/endpoints/endpoints-available-for-icr-apps
 * https://documentation.carbonregistry.com/documentation/carbonregistry.com/api/apps/authentication/generate-a-jwt
 */
export function fakeIcr(rules: Rules): Promise<FakeRegistry> {
  const headers = { 'x-icr-api-version': '2023-06-16' }
  const body = (token: string) => (_: unknown, now: number) => ({
    id: '123e4567-e89b-12d3-a456-426614174000',
    createdAt: new Date(now).toISOString(),
    token,
    expiresAt: new Date(now + 3_600_000).toISOString(),
    isActive: true,
    permissions: { organization_info: 'VIEW' },
    appId: rules.issuer,
  })
  const post = { method: 'POST', status: 200, by: 'jwt', headers } as const
  return fakeRegistry(
    [
      { method: 'GET', path: /^\/projects$/, status: 200, by: 'token', body: () => ({ count: 0 }) },
      { ...post, path: /^\/app\/accessTokens$/, body: body(tokens.app) },
      {
        ...post,
        path: /^\/app\/installations\/[\w-]+\/accessTokens$/,
        body: body(tokens.installation),
      },
    ],
    {
      ...rules,
      error: (message) => ({ message, statusCode: 401 }),
      refusal: ({ payload: { iat = 0, exp = 0 }, nowSeconds }) =>
        iat > nowSeconds || exp <= nowSeconds || exp - nowSeconds > lifetimeSecondsMax
          ? 'Unauthorized'
          : undefined,
    },
  )
}
