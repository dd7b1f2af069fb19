import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type Child, firstLine, startNode, stop } from './child.ts'

/** A server to compare ours with, in a process of its own. */
export type Peer = AsyncDisposable & { readonly port: number; readonly pid: number }

export async function startPeer(file: string, settings: object = {}): Promise<Peer> {
  const script = fileURLToPath(new URL(file, import.meta.url))
  const child = startNode([script, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // As ours sets it for itself.
    env: { ...process.env, UV_THREADPOOL_SIZE: String(availableParallelism()) },
  })
  const line = await firstLine(child)
  if (line === undefined) throw new Error(`${file} ended before it listened`)
  return { port: Number(line), pid: child.pid, [Symbol.asyncDispose]: () => ended(child) }
}

/** In the peer: a free port, told on stdout. */
export function listenAndTell(server: Server): void {
  server.keepAliveTimeout = 65_000 // as ours
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (isAddress(address)) process.stdout.write(`${address.port}\n`)
  })
}

/** Calls back with the body's JSON: no promise, no copy, nothing that a bare server could do without. */
export function readJson(request: IncomingMessage, use: (body: unknown) => void): void {
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => (text += chunk))
  request.on('end', () => use(JSON.parse(text)))
}

export function reply(response: ServerResponse, value: unknown): void {
  const text = JSON.stringify(value)
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
  })
  response.end(text)
}

async function ended(child: Child): Promise<void> {
  await stop(child)
}

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null
}
