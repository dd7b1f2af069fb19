import { once } from 'node:events'
import type { ConnectionOptions } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { authority, directory, dns, email, ip4, type Part, uri } from '../support/certificates.ts'
import { exchange, read, requestText } from '../support/raw-socket.ts'
import {
  blogUri,
  clientOptions,
  signText,
  tlsDial,
  tlsExchange,
  tlsHome,
  tlsListener,
} from '../support/tls-listener.ts'

const close = 'Connection: close'

/** One request with a certificate that the configured authority has signed. */
async function askedWith(part: Part) {
  const home = tlsHome()
  const listener = await tlsListener(home)
  const options = clientOptions(home.clients.issue(part))
  return { ...listener, answer: await tlsExchange(listener.server.url, home, options) }
}

describe('a certificate of the configured authority', () => {
  test.each<[string, Part]>([
    ['one URI, the caller’s', { names: [uri(blogUri)] }],
    ['other kinds of names beside it', { names: [dns('a.b'), uri(blogUri), ip4(10, 0, 0, 1)] }],
    ['a purpose that says client', { names: [uri(blogUri)], usage: 'client' }],
    ['any common name', { names: [uri(blogUri)], commonName: 'spiffe://acme/other' }],
    ['an RSA key', { names: [uri(blogUri)], keyType: 'rsa' }],
  ])('with %s signs as that caller', async (_, part) => {
    const { answer, audit } = await askedWith(part)
    expect(answer.statuses).toEqual([200])
    expect(audit.intents.map(({ caller }) => caller)).toEqual(['blog-backend'])
  })

  test.each<[string, Part, string]>([
    ['no name but the common one', { commonName: blogUri }, 'not_one_uri'],
    ['names of other kinds', { names: [dns('acme'), email('blog@acme')] }, 'not_one_uri'],
    ['two URIs', { names: [uri(blogUri), uri('spiffe://acme/shop')] }, 'not_one_uri'],
    ['the same URI twice', { names: [uri(blogUri), uri(blogUri)] }, 'not_one_uri'],
    ['another URI', { names: [uri('spiffe://acme/shop')] }, 'unknown_uri'],
    ['a longer URI', { names: [uri(`${blogUri}/`)] }, 'unknown_uri'],
    ['a shorter URI', { names: [uri(blogUri.slice(0, -1))] }, 'unknown_uri'],
    ['the URI in capitals', { names: [uri(blogUri.toUpperCase())] }, 'unknown_uri'],
    ['the URI, encoded', { names: [uri('spiffe://acme/bl%6Fg')] }, 'unknown_uri'],
    ['the URI and a space', { names: [uri(`${blogUri} `)] }, 'unknown_uri'],
    ['an empty URI', { names: [uri('')] }, 'unknown_uri'],
    ['the URI as a DNS name', { names: [dns(`URI:${blogUri}`)] }, 'not_one_uri'],
    ['the URI inside a DNS name', { names: [dns(`a, URI:${blogUri}`)] }, 'not_one_uri'],
    ['the URI inside a directory name', { names: [directory(`a, URI:${blogUri}`)] }, 'not_one_uri'],
    ['the URI inside another URI', { names: [uri(`a:b, URI:${blogUri}`)] }, 'not_one_uri'],
    ['a quote in it', { names: [uri(`${blogUri}"`)] }, 'not_one_uri'],
    ['a comma in it', { names: [uri(`${blogUri},x`)] }, 'not_one_uri'],
    ['a zero byte behind it', { names: [uri(`${blogUri}\0`)] }, 'not_one_uri'],
    ['a line feed in it', { names: [uri(`${blogUri}\nURI:a:b`)] }, 'not_one_uri'],
    ['letters beyond ASCII', { names: [uri(`${blogUri}\u00e9`)] }, 'not_one_uri'],
    ['a quoted name beside the URI', { names: [uri(blogUri), dns('"')] }, 'not_one_uri'],
  ])('with %s is nobody’s: 401', async (_, part, refusal) => {
    const { answer, audit, observations } = await askedWith(part)
    expect(answer.statuses).toEqual([401])
    expect(answer.text).toContain('"code":"unauthenticated"')
    expect(answer.text).toContain('WWW-Authenticate: Bearer')
    expect(observations).toEqual([expect.objectContaining({ refusal, status: 401 })])
    expect(audit.events).toEqual([])
  })

  test('that ends while its connection is open: the next request is refused', async () => {
    const home = tlsHome()
    const { server, clock, observations } = await tlsListener(home)
    const certificate = home.clients.issue({ names: [uri(blogUri)], validForMs: 60_000 })
    const socket = await tlsDial(server.url, home, clientOptions(certificate))
    const closed = read(socket)
    socket.write(signText([]))
    await once(socket, 'data')
    clock.advance(61_000)
    socket.write(signText())
    expect((await closed).statuses).toEqual([200, 401])
    expect(observations.map(({ refusal }) => refusal)).toEqual([undefined, 'certificate_expired'])
  })
})

describe('a certificate that is worth nothing ends its connection, before any request', () => {
  const impostor = authority('clients') // of the same name, and with a key of its own
  test.each<[string, (clients: ReturnType<typeof authority>) => ConnectionOptions]>([
    ['another authority’s', () => clientOptions(authority().issue({ names: [uri(blogUri)] }))],
    ['one that looks like ours', () => clientOptions(impostor.issue({ names: [uri(blogUri)] }))],
    [
      'one over',
      (clients) => clientOptions(clients.issue({ names: [uri(blogUri)], validForMs: -60_000 })),
    ],
    [
      'one for servers',
      (clients) => clientOptions(clients.issue({ names: [uri(blogUri)], usage: 'server' })),
    ],
  ])('%s', async (_, optionsFor) => {
    const home = tlsHome()
    const { server, apiKey, audit, observations, lines, measured } = await tlsListener(home)
    const request = signText([`Authorization: Bearer ${apiKey}`, close])
    const answer = await tlsExchange(server.url, home, optionsFor(home.clients), request)
    expect(answer).toEqual({ text: '', statuses: [] })
    // Neither was the request looked at that came with it, good as its API key is.
    expect([...audit.events, ...observations]).toEqual([])
    expect(lines.join('')).toContain('"refusal":"certificate_forged"')
    const metric = 'chancery_authentication_failures_total{reason="certificate_forged"} 1'
    expect(await measured.registry.metrics()).toContain(metric)
  })
})

test('the authority’s own certificate is nobody’s', async () => {
  const home = tlsHome()
  const { server } = await tlsListener(home)
  const answer = await tlsExchange(server.url, home, clientOptions(home.clients))
  expect(answer.statuses).toEqual([401])
})

describe('one credential', () => {
  test('a certificate beside an Authorization header is two, whatever they are worth', async () => {
    const home = tlsHome()
    const { server, apiKey, audit } = await tlsListener(home)
    for (const part of [{ names: [uri(blogUri)] }, { names: [dns('nobody')] }]) {
      const options = clientOptions(home.clients.issue(part))
      for (const value of [`Bearer ${apiKey}`, 'Bearer none', 'Basic eDp5', '']) {
        const request = signText([`Authorization: ${value}`, close])
        const answer = await tlsExchange(server.url, home, options, request)
        expect(answer.statuses).toEqual([400])
        expect(answer.text).toContain('"code":"two_credentials"')
      }
    }
    expect(audit.events).toEqual([])
  })

  test('an API key needs no certificate, and no certificate is 401', async () => {
    const home = tlsHome()
    const { server, apiKey } = await tlsListener(home)
    const asked = async (...headers: readonly string[]) =>
      (await tlsExchange(server.url, home, {}, signText([...headers, close]))).statuses
    expect(await asked(`Authorization: Bearer ${apiKey}`)).toEqual([200])
    expect(await asked()).toEqual([401])
  })

  test('a caller whose header names a certificate proves nothing by it', async () => {
    const home = tlsHome()
    const { server } = await tlsListener(home)
    const pretended = [
      `X-Forwarded-Client-Cert: URI=${blogUri}`,
      `X-SSL-Client-SAN: ${blogUri}`,
      `X-Client-Cert: ${blogUri}`,
    ]
    const answer = await tlsExchange(server.url, home, {}, signText([...pretended, close]))
    expect(answer.statuses).toEqual([401])
  })
})

test('plain HTTP on the TLS port is no request: the connection ends without an answer', async () => {
  const home = tlsHome()
  const { server, observations } = await tlsListener(home)
  const plain = server.url.replace('https:', 'http:')
  const health = requestText('GET /healthz HTTP/1.1', ['Host: c', close])
  expect(await exchange(plain, health)).toEqual({ text: '', statuses: [] })
  expect(observations).toEqual([])
  expect((await tlsExchange(server.url, home, {}, health)).statuses).toEqual([200])
})
