import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { Hono } from 'hono'
import { describe, expect, onTestFinished, test } from 'vitest'
import { listen, type ListenOptions } from '../../src/listener/server.ts'
import { selfSigned } from '../support/certificate.ts'
import { exchange, requestText } from '../support/raw-socket.ts'

const refuse = () => ({ status: 400, headers: { 'X-Refused': 'yes' }, body: 'no' })

async function listenHere(tls: ListenOptions['tls']) {
  const app = new Hono().get('/', (context) => context.text('hello'))
  const server = await listen(app, { host: '127.0.0.1', port: 0 }, { refuse, tls })
  onTestFinished(() => server.close(0))
  return server
}

/** The answer's text, for whoever trusts this certificate. */
async function ask(url: string, ca: string): Promise<string> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { ca, agent: false }, resolve).on('error', reject).end()
  })
  return text(response)
}

describe('with a certificate', () => {
  test('the listener speaks TLS, and nothing else', async () => {
    const { certificate, key } = selfSigned()
    const { url } = await listenHere({ cert: Buffer.from(certificate), key: Buffer.from(key) })
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    expect(await ask(url, certificate)).toBe('hello')
    await expect(ask(url, selfSigned().certificate)).rejects.toThrow(/certificate/)
    const plain = await exchange(url, requestText('GET / HTTP/1.1', ['Host: c']))
    expect(plain.statuses).toEqual([])
  })
})

test('what two readers may read differently is answered as its owner says, and closed', async () => {
  const { url } = await listenHere(undefined)
  const answer = await exchange(url, requestText('GET / HTTP/1.1', ['Host: a', 'Host: b']))
  expect(answer.statuses).toEqual([400])
  expect(answer.text).toContain('X-Refused: yes')
  expect(answer.text).toContain('Connection: close')
})
