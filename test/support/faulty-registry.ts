import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { showDate, type ShownDate } from './shown-date.ts'

/** A request as it came in, and what the registry has by then. */
export type Asked = {
  readonly method: string
  readonly path: string
  readonly authorization: string
  /** Of the key that is sent, read or deleted. */
  readonly kid: string | undefined
  readonly kids: string[]
}

export type Said = {
  readonly status: number
  readonly body?: object | string
  readonly headers?: Readonly<Record<string, string>>
}

/** What it says instead of a good answer; `hang` answers nothing, `cut` ends in the middle. */
export type Fault = (asked: Asked) => Said | 'hang' | 'cut' | undefined

export type FaultyRegistry = {
  readonly url: string
  /** `GET`, `POST`, … in their order. */
  readonly methods: () => readonly string[]
  readonly asked: readonly Asked[]
  readonly kids: string[]
  /** What its answers say of its clock. */
  readonly date: ShownDate
}

const newKey = z.object({ jwk: z.object({ kid: z.string() }) })

/** Vitest's own cannot tell which of several tests at once it is called for. */
export type OnFinished = (end: () => void) => void

/** Speaks the wire format of App Keys for one app, without any of our code, and errs as it is told. */
export async function faultyRegistry(
  fault: Fault = () => undefined,
  kids: string[] = [],
  onFinished: OnFinished = onTestFinished,
): Promise<FaultyRegistry> {
  const asked: Asked[] = []
  const date: ShownDate = {}
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy())
  })
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const seen = await read(request, kids)
    asked.push(seen)
    const said = fault(seen)
    if (said === 'hang') return
    showDate(response, date)
    if (said === 'cut') {
      response.writeHead(200, { 'Content-Length': '1000' })
      response.write('{"total":', () => response.destroy())
      return
    }
    const { status, body, headers = {} } = said ?? obey(seen)
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : body && JSON.stringify(body))
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    kids,
    date,
    methods: () => asked.map(({ method }) => method),
  }
}

async function read(request: IncomingMessage, kids: string[]): Promise<Asked> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const { method = '', url: path = '', headers } = request
  const sent = chunks.length > 0 ? newKey.parse(JSON.parse(Buffer.concat(chunks).toString())) : null
  const kid = sent ? sent.jwk.kid : /\/keys\/([\w-]+)$/.exec(path)?.[1]
  return { method, path, authorization: headers.authorization ?? '', kid, kids }
}

/** As a good registry would. */
function obey({ method, kid, kids }: Asked): Said {
  if (method === 'POST' && kid !== undefined) kids.push(kid)
  if (method === 'POST') return { status: 201, body: { sys: { id: kid } } }
  if (method === 'DELETE') {
    kids.splice(0, kids.length, ...kids.filter((one) => one !== kid))
    return { status: 204 }
  }
  return { status: 200, body: listOf(kids) }
}

export function listOf(kids: readonly string[], total = kids.length): object {
  const items = kids.map((id) => ({ sys: { id, lastUsedAt: null }, jwk: { kid: id } }))
  return { sys: { type: 'Array' }, total, skip: 0, limit: 100, items }
}

/** Contentful's own shape: https://www.contentful.com/developers/docs/references/errors/ */
export function errorOf(status: number, id: string, details?: object): Said {
  return { status, body: { sys: { type: 'Error', id }, message: 'vendor-canary', details } }
}
