import { expect } from 'vitest'
import { apiKeyAuthenticator, createApiKey } from '../../src/auth/api-key.ts'
import type { Authenticator, Caller, Credential } from '../../src/auth/caller.ts'
import { signApp, type SignAppDeps } from '../../src/http/app.ts'
import type { Observation } from '../../src/http/endpoint.ts'
import { logger } from '../../src/lib/log.ts'
import { undocumented } from './documented.ts'
import { type ServiceSetting, signingService } from './signing-service.ts'

export type Ask = {
  readonly method?: string
  /** Sent as JSON; `raw` is sent as it is. */
  readonly body?: unknown
  readonly raw?: RequestInit['body']
  readonly headers?: Readonly<Record<string, string>>
  /** Whose API key is sent; null for none. */
  readonly as?: Caller['name'] | null
  readonly signal?: AbortSignal
}

export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The members of a JSON answer; empty for text. */
  readonly body: Readonly<Record<string, unknown>>
}

/** Its callers; each has an API key of its own. */
const callerNames = ['blog-backend', 'other-app', 'stranger'] as const

/** The whole sign listener over keys in memory: everything but sockets is real. */
export async function signListener(setting: ServiceSetting, part: Partial<SignAppDeps> = {}) {
  const service = await signingService(setting)
  const apiKeys = callerNames.map((name) => ({ name, ...createApiKey() }))
  const records = apiKeys.map(({ name, record }) => ({ name, apiKeys: [record] }))
  const lines: string[] = []
  const observations: Observation[] = []
  const state = { isClosing: false }
  const app = signApp({
    ...service.deps,
    authenticator: byApiKey(apiKeyAuthenticator(records)),
    log: logger({ write: (line) => lines.push(line) }),
    isClosing: () => state.isClosing,
    observe: (observation) => observations.push(observation),
    ...part,
  })
  const bearerOf = (name: Caller['name']) =>
    `Bearer ${apiKeys.find((caller) => caller.name === name)?.text}`
  const ask = async (path: string, asked: Ask = {}): Promise<Answer> => {
    const { as = 'blog-backend' } = asked
    const method =
      asked.method ?? (asked.body === undefined && asked.raw === undefined ? 'GET' : 'POST')
    const authorization = as === null ? undefined : { Authorization: bearerOf(as) }
    const response = await app.request(path, requestInit(asked, method, authorization))
    return checked(method, path, response)
  }
  const close = () => void (state.isClosing = true)
  return { ...service, app, ask, bearerOf, lines, observations, close }
}

export type SignListener = Awaited<ReturnType<typeof signListener>>

function byApiKey(keys: Authenticator<string>): Authenticator<Credential> {
  return {
    async authenticate(credential, signal) {
      if (credential.kind === 'bearer') return keys.authenticate(credential.text, signal)
      return { refused: 'unknown_uri' }
    },
  }
}

/** Asks for a signature. */
export function signPath(key: string): string {
  return `/v1/keys/${key}/sign`
}

function requestInit(
  { body, raw, headers, signal }: Ask,
  method: string,
  authorization: Readonly<Record<string, string>> | undefined,
): RequestInit {
  const sent = raw === undefined ? JSON.stringify(body) : raw
  return {
    method,
    headers: { 'Content-Type': 'application/json', ...authorization, ...headers },
    ...(sent === undefined ? {} : { body: sent }),
    ...(signal ? { signal } : {}),
    ...(sent instanceof ReadableStream ? { duplex: 'half' } : {}),
  }
}

/** What holds of every answer there is, whatever the test is about. */
async function checked(method: string, path: string, response: Response): Promise<Answer> {
  const { status, headers } = response
  const text = await response.text()
  const mediaType = (headers.get('content-type') ?? '').replace(/;.*/, '')
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('x-request-id')).toMatch(/^[\w.-]{1,64}$/)
  expect(`${text}\n${JSON.stringify([...headers])}`).not.toMatch(
    /canary|\.ts:\d|node_modules|\bat \w+ \(/,
  )
  if (method !== 'HEAD')
    expect(undocumented(method, path, { status, mediaType, text })).toBeUndefined()
  const isJson = mediaType.endsWith('json') && text !== ''
  return { status, headers, text, body: isJson ? JSON.parse(text) : {} }
}
