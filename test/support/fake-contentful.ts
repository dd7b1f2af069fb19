import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { errors, jwtVerify } from 'jose'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { documentServer } from './document-server.ts'
import { showDate, type ShownDate } from './shown-date.ts'

/**
 * Contentful's management API, as far as apps and their keys go, without any code under test:
 * https://www.contentful.com/developers/docs/references/content-management-api/app-keys
 * https://www.contentful.com/developers/docs/references/errors/
 */
export type FakeContentful = {
  readonly url: string
  /** `POST …/keys`, in their order. */
  readonly requests: readonly string[]
  /** A management token; revoked ones are refused. */
  readonly token: string
  readonly revokeToken: () => void
  /** Ids of an app's keys. */
  readonly kids: (app: string) => readonly string[]
  /** Puts a key there, as somebody else would. */
  readonly addKey: (app: string, spki: Uint8Array, kid?: string) => void
  readonly removeKey: (app: string, kid: string) => void
  /** So many requests are refused for their rate. */
  readonly limitNext: (count: number) => void
  /** So many lists do not show what was written before. */
  readonly delayReads: (lists: number) => void
  /** What its answers say of its clock. */
  readonly date: ShownDate
}

const organization = 'acme'
const contentType = 'application/vnd.contentful.management.v1+json'
const slots = 3
const managementToken = 'CFPAT-managementToken'

export const appToken = 'contentful-app-token'

type StoredKey = {
  readonly app: string
  readonly kid: string
  readonly spki: Uint8Array
  lastUsedAt: string | null
  /** Lists that do not show it yet. */
  hiddenFor: number
}

type State = {
  readonly keys: StoredKey[]
  isTokenGood: boolean
  limited: number
  delayed: number
}

type Answer = {
  readonly status: number
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

/** @param apps their ids, which are also the issuers of their JWTs. @param pageMax so many keys at once. */
export async function fakeContentful(
  apps: readonly string[],
  {
    pageMax = 100,
    end = onTestFinished,
  }: { pageMax?: number; end?: (close: () => PromiseLike<void>) => void } = {},
): Promise<FakeContentful> {
  const state: State = { keys: [], isTokenGood: true, limited: 0, delayed: 0 }
  const requests: string[] = []
  const date: ShownDate = {}
  const server = await documentServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    answerTo(request, state, { apps, pageMax })
      .then((answer) => send(response, answer, date))
      .catch(() => response.destroy())
  })
  end(() => server[Symbol.asyncDispose]())
  return {
    url: server.url,
    requests,
    date,
    token: managementToken,
    revokeToken: () => void (state.isTokenGood = false),
    kids: (app) => state.keys.filter((key) => key.app === app).map(({ kid }) => kid),
    addKey: (app, spki, kid = hash('sha256', spki, 'base64url')) =>
      void state.keys.push({ app, kid, spki, lastUsedAt: null, hiddenFor: 0 }),
    removeKey: (app, kid) => void remove(state, app, kid),
    limitNext: (count) => void (state.limited = count),
    delayReads: (lists) => void (state.delayed = lists),
  }
}

function send(response: ServerResponse, { status, body, headers }: Answer, date: ShownDate): void {
  showDate(response, date)
  response.writeHead(status, { 'Content-Type': contentType, ...headers })
  response.end(body && JSON.stringify(body))
}

function refused(status: number, id: string, message: string, details?: object): Answer {
  const body = { sys: { type: 'Error', id }, message, details, requestId: 'vendor-request-canary' }
  return { status, body }
}

const keysPath = /^\/organizations\/(\w+)\/app_definitions\/([\w.-]+)\/keys(?:\/([\w-]{43}))?$/
const tokensPath = /^\/spaces\/\w+\/environments\/\w+\/app_installations\/([\w.-]+)\/access_tokens$/
const entryPath = /^\/spaces\/\w+\/environments\/\w+\/entries\/(\w+)$/

async function answerTo(
  request: IncomingMessage,
  state: State,
  { apps, pageMax }: { readonly apps: readonly string[]; readonly pageMax: number },
): Promise<Answer> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://contentful')
  const bearer = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
  if (state.limited > 0) {
    state.limited -= 1
    const answer = refused(429, 'RateLimitExceeded', 'You have exceeded the rate limit')
    return { ...answer, headers: { 'X-Contentful-RateLimit-Reset': '1' } }
  }
  const installed = tokensPath.exec(pathname)?.[1]
  if (request.method === 'POST' && installed !== undefined) {
    return issueToken(state, installed, bearer)
  }
  const entry = entryPath.exec(pathname)?.[1]
  if (request.method === 'GET' && entry !== undefined) {
    if (!isBearer(bearer, appToken)) return invalidToken()
    return { status: 200, body: { sys: { type: 'Entry', id: entry }, fields: {} } }
  }
  const [, org, app = '', kid] = keysPath.exec(pathname) ?? []
  if (!state.isTokenGood || !isBearer(bearer, managementToken)) return invalidToken()
  if (org !== organization || !apps.includes(app)) return notFound()
  if (request.method === 'POST' && kid === undefined) return create(request, state, app)
  if (request.method === 'GET' && kid === undefined) return list(state, app, searchParams, pageMax)
  if (request.method === 'DELETE' && kid !== undefined) return remove(state, app, kid)
  return notFound()
}

function isBearer(bearer: string, wanted: string): boolean {
  return bearer === wanted
}

const invalidToken = () =>
  refused(401, 'AccessTokenInvalid', 'The access token you sent could not be found or is invalid.')
const notFound = () => refused(404, 'NotFound', 'The resource could not be found.')

const newKey = z.strictObject({
  jwk: z.strictObject({
    alg: z.literal('RS256'),
    kty: z.literal('RSA'),
    use: z.literal('sig'),
    kid: z.string(),
    x5t: z.string(),
    x5c: z.tuple([z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/)]),
  }),
})

async function create(request: IncomingMessage, state: State, app: string): Promise<Answer> {
  if (request.headers['content-type'] !== contentType) {
    return refused(415, 'UnsupportedMediaType', 'The Content-Type is not supported')
  }
  const parsed = newKey.safeParse(JSON.parse(await text(request)))
  const invalid = (name: string) =>
    refused(422, 'ValidationFailed', 'Validation error', { errors: [{ name }] })
  if (!parsed.success) return invalid('jwk')
  const { kid, x5t, x5c } = parsed.data.jwk
  const spki = Buffer.from(x5c[0], 'base64')
  if (kid !== hash('sha256', spki, 'base64url') || x5t !== kid) return invalid('kid')
  if (modulusBits(spki) < 4_096) return invalid('x5c')
  if (state.keys.some((key) => key.kid === kid)) {
    return refused(400, 'BadRequest', 'The key pair is already in use')
  }
  if (state.keys.filter((key) => key.app === app).length >= slots) {
    return refused(403, 'AccessDenied', 'Forbidden', { reasons: 'Usage exceeded.' })
  }
  const key = { app, kid, spki, lastUsedAt: null, hiddenFor: state.delayed }
  state.keys.push(key)
  return { status: 201, body: entity(key) }
}

function modulusBits(spki: Buffer): number {
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  return key.asymmetricKeyDetails?.modulusLength ?? 0
}

function list(state: State, app: string, asked: URLSearchParams, pageMax: number): Answer {
  const all = state.keys.filter((key) => key.app === app)
  const shown = all.filter(({ hiddenFor }) => hiddenFor === 0)
  for (const key of all) key.hiddenFor = Math.max(0, key.hiddenFor - 1)
  const skip = Number(asked.get('skip') ?? 0)
  const limit = Math.min(Number(asked.get('limit') ?? 100), pageMax)
  const items = shown.slice(skip, skip + limit).map(entity)
  return { status: 200, body: { sys: { type: 'Array' }, total: shown.length, skip, limit, items } }
}

function remove(state: State, app: string, kid: string): Answer {
  const at = state.keys.findIndex((key) => key.app === app && key.kid === kid)
  if (at < 0) return notFound()
  state.keys.splice(at, 1)
  return { status: 204 }
}

function entity({ app, kid, spki, lastUsedAt }: StoredKey): object {
  const link = (linkType: string, id: string) => ({ sys: { type: 'Link', linkType, id } })
  const createdAt = '2026-11-01T08:00:00.000Z'
  return {
    sys: {
      type: 'AppKey',
      id: kid,
      organization: link('Organization', organization),
      appDefinition: link('AppDefinition', app),
      createdAt,
      createdBy: link('User', 'someone'),
      ...(lastUsedAt !== null && { lastUsedAt }),
    },
    jwk: {
      alg: 'RS256',
      kty: 'RSA',
      use: 'sig',
      kid,
      x5t: kid,
      x5c: [Buffer.from(spki).toString('base64')],
    },
  }
}

/** By any registered key: Contentful's own toolkit names none unless it is told. */
async function issueToken(state: State, app: string, jwt: string): Promise<Answer> {
  for (const key of state.keys.filter((one) => one.app === app)) {
    const publicKey = createPublicKey({ key: Buffer.from(key.spki), format: 'der', type: 'spki' })
    if (!(await isGood(jwt, publicKey, key))) continue
    const now = '2026-11-21T05:00:00.000Z'
    key.lastUsedAt = now
    const expiresAt = new Date(Date.parse(now) + 600_000).toISOString()
    return {
      status: 201,
      body: { sys: { type: 'AppAccessToken', expiresAt }, token: appToken },
      headers: { Date: new Date(now).toUTCString() },
    }
  }
  return invalidToken()
}

const lifetimeSecondsMax = 600

async function isGood(
  jwt: string,
  publicKey: KeyObject,
  { app, kid }: StoredKey,
): Promise<boolean> {
  try {
    const { payload, protectedHeader } = await jwtVerify(jwt, publicKey, {
      algorithms: ['RS256'],
      issuer: app,
      requiredClaims: ['iat', 'exp'],
    })
    if (protectedHeader.kid !== undefined && protectedHeader.kid !== kid) return false
    return (payload.exp ?? 0) - (payload.iat ?? 0) <= lifetimeSecondsMax
  } catch (error) {
    if (error instanceof errors.JOSEError) return false
    throw error
  }
}
