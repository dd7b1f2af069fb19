import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { keyLoader, type KeySource } from '../../src/auth/key-source.ts'
import type { FetchDocument } from '../../src/lib/fetch-document.ts'
import { memoryKey } from '../support/memory-key.ts'
import { publicJwk } from '../support/token.ts'

const jwks = { keys: [publicJwk(memoryKey('ES256'))] }
const issuer = 'https://issuer.example/a'
const discoveryUrl = `${issuer}/.well-known/openid-configuration`
const jwksUri = 'https://issuer.example/keys'

/** A web of these documents, and where it was asked. */
function web(documents: Readonly<Record<string, unknown>>) {
  const asked: string[] = []
  const fetchDocument: FetchDocument = async ({ url, kinds }) => {
    asked.push(`${url.href} ${kinds.join()}`)
    if (Object.hasOwn(documents, url.href)) return documents[url.href]
    throw new Error(`nothing is at ${url.href}`)
  }
  const load = (from: string, source: KeySource) => keyLoader(from, source, fetchDocument)()
  return { asked, load }
}

/** Whether what was loaded has the key of `jwks`. */
async function hasKey(loading: ReturnType<ReturnType<typeof web>['load']>): Promise<boolean> {
  const keys = await loading
  return (await keys({ alg: 'ES256', kid: 'one' }, { payload: '', signature: '' })) !== undefined
}

const discovery = { kind: 'discovery' } as const

describe('discovery', () => {
  test('asks the issuer where its keys are', async () => {
    const { asked, load } = web({
      [discoveryUrl]: { issuer, jwks_uri: jwksUri, more: 'of the document' },
      [jwksUri]: jwks,
    })
    expect(await hasKey(load(issuer, discovery))).toBe(true)
    expect(asked).toEqual([`${discoveryUrl} public,private`, `${jwksUri} public,private`])
  })

  test('follows an issuer that moves its keys, at each reading', async () => {
    const documents: Record<string, unknown> = {
      [discoveryUrl]: { issuer, jwks_uri: jwksUri },
      [jwksUri]: jwks,
    }
    const { asked, load } = web(documents)
    await load(issuer, discovery)
    documents[discoveryUrl] = { issuer, jwks_uri: 'https://keys.example/b' }
    documents['https://keys.example/b'] = jwks
    await load(issuer, discovery)
    expect(asked.at(-1)).toBe('https://keys.example/b public')
  })

  // OpenID Connect Discovery 1.0 §4.1: a terminating / goes before the path is appended.
  test.each([
    ['https://issuer.example', 'https://issuer.example/.well-known/openid-configuration'],
    ['https://issuer.example/', 'https://issuer.example/.well-known/openid-configuration'],
    ['https://issuer.example/a/', 'https://issuer.example/a/.well-known/openid-configuration'],
    ['https://issuer.example/a//', 'https://issuer.example/a//.well-known/openid-configuration'],
  ])('of %s asks %s', async (from, url) => {
    const { load } = web({ [url]: { issuer: from, jwks_uri: jwksUri }, [jwksUri]: jwks })
    expect(await hasKey(load(from, discovery))).toBe(true)
  })

  test.each([
    `${issuer}/`,
    'https://issuer.example',
    'https://ISSUER.example/a',
    'https://issuer.example:443/a',
    'http://issuer.example/a',
    'https://evil.example/a',
    '',
  ])('is refused by the document of another issuer: %j', async (other) => {
    const { asked, load } = web({
      [discoveryUrl]: { issuer: other, jwks_uri: jwksUri },
      [jwksUri]: jwks,
    })
    await expect(load(issuer, discovery)).rejects.toThrow('of another issuer')
    expect(asked).toHaveLength(1)
  })

  test.each([
    ['http://issuer.example/keys', 'https only'],
    ['https://169.254.169.254/keys', 'a host name, not an address'],
    ['https://localhost/keys', 'no localhost'],
    ['https://u@issuer.example/keys', 'no user'],
    ['file:///etc/passwd', 'https only'],
    ['/keys', 'not a URL'],
  ])('that leads to %s ends there', async (where, why) => {
    const { asked, load } = web({ [discoveryUrl]: { issuer, jwks_uri: where } })
    await expect(load(issuer, discovery)).rejects.toThrow(`a URL that is not fetched: ${why}`)
    expect(asked).toHaveLength(1)
  })

  test.each([
    ['no issuer', { jwks_uri: jwksUri }],
    ['no keys', { issuer }],
    ['keys that are a list', { issuer, jwks_uri: [jwksUri] }],
    ['a list', [{ issuer, jwks_uri: jwksUri }]],
    ['null', null],
  ])('with a document of %s is an error', async (_, document) => {
    const { load } = web({ [discoveryUrl]: document, [jwksUri]: jwks })
    await expect(load(issuer, discovery)).rejects.toMatchObject({ name: 'ZodError' })
  })

  test('does not take what an issuer says for its keys', async () => {
    const { load } = web({ [discoveryUrl]: { issuer, jwks_uri: discoveryUrl } })
    await expect(load(issuer, discovery)).rejects.toMatchObject({ name: 'ZodError' })
  })
})

describe('a configured place', () => {
  test('is asked for the keys, and nobody else is', async () => {
    const { asked, load } = web({ 'https://10.0.0.5/keys': jwks })
    expect(await hasKey(load(issuer, { kind: 'uri', uri: 'https://10.0.0.5/keys' }))).toBe(true)
    expect(asked).toEqual(['https://10.0.0.5/keys public,private'])
  })

  test('that holds no keys is an error', async () => {
    const { load } = web({ [jwksUri]: { issuer } })
    await expect(load(issuer, { kind: 'uri', uri: jwksUri })).rejects.toMatchObject({
      name: 'ZodError',
    })
  })
})

describe('a file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-jwks-'))
  const file = join(directory, 'jwks.json')
  afterAll(() => rmSync(directory, { recursive: true }))

  test('is read, and read again each time, without a network', async () => {
    const { asked, load } = web({})
    writeFileSync(file, JSON.stringify({ keys: [] }))
    await expect(hasKey(load(issuer, { kind: 'file', file }))).rejects.toMatchObject({
      code: 'ERR_JWKS_NO_MATCHING_KEY',
    })
    writeFileSync(file, JSON.stringify(jwks))
    expect(await hasKey(load(issuer, { kind: 'file', file }))).toBe(true)
    expect(asked).toEqual([])
  })

  test.each([
    ['that is half written', '{"keys":['],
    ['with a member twice', '{"keys":[],"keys":[]}'],
    ['with an escape in a name', String.raw`{"k\u0065ys":[]}`],
  ])('%s is an error', async (_, text) => {
    writeFileSync(file, text)
    const loading = web({}).load(issuer, { kind: 'file', file })
    await expect(loading).rejects.toMatchObject({ code: 'malformed_request' })
  })

  test('that is not there is an error', async () => {
    const loading = web({}).load(issuer, { kind: 'file', file: join(directory, 'none') })
    await expect(loading).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
