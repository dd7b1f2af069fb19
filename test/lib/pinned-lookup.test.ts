import { execFile } from 'node:child_process'
import type { LookupAddress } from 'node:dns'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { AddressKind } from '../../src/lib/destination.ts'
import { fetchDocument, pinnedLookup } from '../../src/lib/fetch-document.ts'
import { documentServer } from '../support/document-server.ts'
import { longestMs } from '../support/longest.ts'
import { selfSigned } from '../support/self-signed.ts'

const patience = new AbortController().signal
const company: readonly AddressKind[] = ['public', 'private']
const forbidden = 'the name leads to a forbidden address'

/** What a connection is told of a name that has these addresses. */
async function lookedUp(
  kinds: readonly AddressKind[],
  addresses: readonly string[] | Error,
  all = true,
): Promise<string | LookupAddress[]> {
  const { promise, resolve: succeed, reject } = Promise.withResolvers<string | LookupAddress[]>()
  const found = Array.isArray(addresses) ? addresses : []
  const entries = found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  const lookup = pinnedLookup(kinds, (_, options, callback) => {
    expect(options.all).toBe(true)
    callback(addresses instanceof Error ? addresses : null, entries)
  })
  lookup('issuer.example', { all }, (error, address) => (error ? reject(error) : succeed(address)))
  return promise
}

describe('a name', () => {
  test('leads to all of its addresses, when all of them are permitted', async () => {
    const both = ['8.8.8.8', '2606:4700::1111']
    expect(await lookedUp(['public'], both)).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1111', family: 6 },
    ])
    expect(await lookedUp(company, ['10.0.0.5'], false)).toBe('10.0.0.5')
  })

  test.each([
    ['this host', ['127.0.0.1']],
    ['this host, in IPv6', ['::1']],
    ['this host, dressed up', ['::ffff:127.0.0.1']],
    ['a metadata service', ['169.254.169.254']],
    ['another metadata service', ['fd00:ec2::254']],
    ['a public address, and this host', ['8.8.8.8', '127.0.0.1']],
    ['this host, and a public address', ['127.0.0.1', '8.8.8.8']],
    ['IPv4 through NAT64', ['64:ff9b::808:808']],
    ['nowhere', []],
  ])('that leads to %s leads nowhere', async (_, addresses) => {
    await expect(lookedUp(company, addresses)).rejects.toThrow(forbidden)
    await expect(lookedUp(company, addresses, false)).rejects.toThrow(forbidden)
  })

  test('that an issuer gives must not lead into our own network', async () => {
    await expect(lookedUp(['public'], ['10.0.0.5'])).rejects.toThrow(forbidden)
    await expect(lookedUp(['public'], ['8.8.8.8', '192.168.0.1'])).rejects.toThrow(forbidden)
  })

  test('that nobody knows is an error', async () => {
    const unknown = new Error('ENOTFOUND')
    await expect(lookedUp(['public'], unknown)).rejects.toBe(unknown)
  })

  test('that turns out to be this host is not connected to', async () => {
    await using server = await documentServer((_, response) => void response.end('{}'))
    const url = new URL(server.url.replace('127.0.0.1', 'localhost'))
    const fetching = fetchDocument({ url, kinds: company }, patience)
    await expect(fetching).rejects.toThrow(forbidden)
    expect(server.asked).toEqual([])
    expect(await fetchDocument({ url, kinds: ['loopback'] }, patience)).toEqual({})
  })
})

const root = resolve(import.meta.dirname, '../..')

/** Asks from a process that its environment wants to send elsewhere; says what came of it. */
async function fetchedWith(env: NodeJS.ProcessEnv, url: string): Promise<string> {
  const program = `
    import { fetchDocument } from '${join(root, 'src/lib/fetch-document.ts')}'
    const destination = { url: new URL('${url}'), kinds: ['loopback'] }
    const fetching = fetchDocument(destination, new AbortController().signal)
    const told = await fetching.then(JSON.stringify, (error) => error.code)
    process.stdout.write(told)`
  const args = ['--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: longestMs })
  return stdout
}

describe('the environment', () => {
  test('puts no proxy between us and an issuer', async () => {
    await using proxy = await documentServer((_, response) => void response.end('"proxy"'))
    await using server = await documentServer((_, response) => void response.end('"issuer"'))
    const proxies = { HTTP_PROXY: proxy.url, http_proxy: proxy.url, ALL_PROXY: proxy.url }
    const env = { ...proxies, NODE_USE_ENV_PROXY: '1', NO_PROXY: 'none.example' }
    expect(await fetchedWith(env, server.url)).toBe('"issuer"')
    expect([proxy.asked, server.asked]).toEqual([[], ['/']])
  })

  test('may add an authority, for issuers in the house', async () => {
    const certificate = selfSigned({ ip: '127.0.0.1' })
    const directory = mkdtempSync(join(tmpdir(), 'chancery-ca-'))
    const file = join(directory, 'ca.pem')
    writeFileSync(file, certificate.cert)
    await using server = await documentServer((_, response) => void response.end('{}'), certificate)
    expect(await fetchedWith({ NODE_EXTRA_CA_CERTS: file }, server.url)).toBe('{}')
    rmSync(directory, { recursive: true })
  })

  test('does not have us believe any certificate', async () => {
    const certificate = selfSigned({ ip: '127.0.0.1' })
    await using server = await documentServer((_, response) => void response.end('{}'), certificate)
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: '0' }
    expect(await fetchedWith(env, server.url)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
  })
})
