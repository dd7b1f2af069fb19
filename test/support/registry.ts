import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hono } from 'hono'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { logger } from '../../src/lib/log.ts'
import { ulidSource } from '../../src/lib/ulid.ts'
import { listen, type Listener } from '../../src/listener/server.ts'
import { registryApp } from '../../src/registry/server/app.ts'
import { ambiguityReply } from '../../src/registry/server/contentful-error.ts'
import { createApp, createToken } from '../../src/registry/server/desk.ts'
import { openRegistryStore, type RegistryStore } from '../../src/registry/server/store/store.ts'
import { manualClock } from './manual-clock.ts'

/** The embedded registry in this process, on a database of its own. */
export type TestRegistry = {
  readonly file: string
  readonly store: RegistryStore
  readonly app: Hono
  readonly clock: ReturnType<typeof manualClock>
  /** Everything logged so far. */
  readonly log: () => string
  /** Of organization acme; `blog` and `shop` are its apps, `theirs` is other's. */
  readonly admin: string
  readonly reader: string
  readonly stranger: string
  readonly ask: (path: string, asked?: Asked) => Promise<Answer>
}

export type Asked = {
  readonly method?: string
  readonly token?: string | undefined
  /** An object becomes JSON; a text stays what it is. */
  readonly body?: object | string
  readonly headers?: Readonly<Record<string, string>>
}

export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Empty where the answer is no JSON. */
  readonly body: z.infer<typeof anyBody>
}

const anyBody = z.looseObject({
  requestId: z.string().optional(),
  items: z.array(z.unknown()).optional(),
  keys: z.array(z.record(z.string(), z.string())).optional(),
})

export const keysPath = (app = 'blog', organization = 'acme') =>
  `/organizations/${organization}/app_definitions/${app}/keys`

export const jwksPath = (app = 'blog') => `/apps/${app}/.well-known/jwks.json`

/** A path where no database is yet, in a directory that is gone when the test is over. */
export async function registryFile(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'chancery-registry-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'registry.db')
}

/** Opened, and closed when the test is over. */
export async function registryStore(file: string): Promise<RegistryStore> {
  const store = await openRegistryStore(file)
  onTestFinished(() => store[Symbol.asyncDispose]())
  return store
}

export async function testRegistry(
  change: (store: RegistryStore) => RegistryStore = (store) => store,
): Promise<TestRegistry> {
  const file = await registryFile()
  const store = await registryStore(file)
  const clock = manualClock()
  const lines: string[] = []
  const deps = { clock, newId: ulidSource(), log: logger({ write: (line) => lines.push(line) }) }
  const app = registryApp({ ...deps, store: change(store), maxKeys: 3, jwksMaxAgeMs: 300_000 })
  const desk = { store, actor: 'ops@host', now: clock.now() }
  await createApp(desk, 'acme', 'blog')
  await createApp(desk, 'acme', 'shop')
  await createApp(desk, 'other', 'theirs')
  const admin = await createToken(desk, 'acme', 'admin')
  return {
    file,
    store,
    app,
    clock,
    log: () => lines.join(''),
    admin,
    reader: await createToken(desk, 'acme', 'reader'),
    stranger: await createToken(desk, 'other', 'admin'),
    ask: (path, asked = {}) => ask(app, path, { token: admin, ...asked }),
  }
}

async function ask(app: Hono, path: string, { method, token, body, headers }: Asked) {
  const isText = typeof body === 'string'
  const text = body === undefined || isText ? body : JSON.stringify(body)
  const response = await app.request(path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      'Content-Type': 'application/vnd.contentful.management.v1+json',
      ...headers,
    },
    ...(text === undefined ? {} : { body: text }),
  })
  return answerOf(response)
}

async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response
  const text = await response.text()
  const body = anyBody.parse(text.startsWith('{') ? JSON.parse(text) : {})
  return { status, headers, text, body }
}

/** On a socket, as clients find it. */
export async function listening({ app }: TestRegistry): Promise<Listener> {
  const address = { host: '127.0.0.1', port: 0 }
  const server = await listen(app, address, { refuse: () => ambiguityReply('an-id') })
  onTestFinished(() => server.close(0))
  return server
}

/** The error that Contentful would answer, whole. */
export function contentfulError(id: string, message: string, details?: object) {
  const requestId: unknown = expectedUlid
  return { sys: { type: 'Error', id }, message, ...(details ? { details } : {}), requestId }
}

const expectedUlid = {
  asymmetricMatch: (id: unknown) => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(String(id)),
}
