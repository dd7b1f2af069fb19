import type { ServerResponse } from 'node:http'

type Answer = Readonly<Record<string, unknown>>

/** What can go wrong on the way to any vault, and in any. */
export type WireFault =
  /** A proxy or load balancer answers in the vault's place. */
  | { readonly kind: 'html'; readonly status: number }
  | { readonly kind: 'broken-json' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'silence' }
  | { readonly kind: 'headers-only' }
  | { readonly kind: 'trickle' }
  /** What was asked is done, and nobody is told. */
  | { readonly kind: 'lost-reply' }
  /** A vault that errs: another key, algorithm, signature. */
  | { readonly kind: 'alter'; readonly change: (answer: Answer) => Answer }

/** How a vault's answers look. */
export type Wire = {
  readonly contentType: string
  /** Under which it names a request; who answers in its place has none. */
  readonly requestIdHeader: string
}

/** Ends or holds up the request as the fault says; true when nothing more is to be done. */
export function playOnWire(fault: WireFault, response: ServerResponse, wire: Wire): boolean {
  const json = { 'Content-Type': wire.contentType }
  switch (fault.kind) {
    case 'html':
      response.removeHeader(wire.requestIdHeader)
      response.writeHead(fault.status, { 'Content-Type': 'text/html' })
      response.end('<html><body><h1>proxy-7.internal.example</h1></body></html>')
      return true
    case 'broken-json':
      response.writeHead(200, json)
      response.end('{"KeyId":"arn:aws:kms')
      return true
    case 'reset':
      response.socket?.resetAndDestroy()
      return true
    case 'silence':
      return true
    case 'headers-only':
      response.writeHead(200, { ...json, 'Content-Length': 1_000 })
      response.flushHeaders()
      return true
    case 'trickle':
      response.writeHead(200, { ...json, 'Content-Length': 1_000_000 })
      trickle(response)
      return true
    case 'lost-reply':
    case 'alter':
      return false
  }
}

/** A byte now and then: the connection is never idle, and the answer never whole. */
function trickle(response: ServerResponse): void {
  const timer = setInterval(() => response.write(' '), 20)
  response.once('close', () => clearInterval(timer))
}
