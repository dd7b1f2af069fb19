import { hash, verify } from 'node:crypto'
import { compactVerify, decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createChanceryClient } from '../../src/client/index.ts'
import { application, type Application } from '../support/application.ts'
import { homesOfThisFile } from '../support/home.ts'
import { eventually } from '../support/serving.ts'

/** The client and `serve`, each as it is. */

const homes = homesOfThisFile()
let app: Application
beforeAll(async () => {
  app = await application(homes.copy(), [
    {
      key: 'documents: { vault: local, alg: ES256, purpose: bytes }',
      grant: 'operations: [sign-message]',
    },
    {
      key: 'limited: { vault: local, alg: ES256, purpose: bytes }',
      grant: 'operations: [sign-message], limit: 1/s',
    },
  ])
})
afterAll(() => app.serving[Symbol.asyncDispose]())

const b64 = (text: string) => Buffer.from(text).toString('base64url')

describe('sign', () => {
  test('claims: the JWT verifies, and says when it ends', async () => {
    const { jwt, ...facts } = await app.client.sign('first-key', { claims: { sub: 'a' } })
    const { protectedHeader } = await compactVerify(jwt, await app.publicKey('first-key'))
    const { sub, exp = 0 } = decodeJwt(jwt)
    expect([protectedHeader.kid, sub]).toEqual([facts.kid, 'a'])
    expect(facts).toMatchObject({ key: 'first-key', version: 1, alg: 'ES256' })
    expect(Date.parse(facts.expiresAt ?? '')).toBe(exp * 1_000)
  })

  test('a signing input: signature and JWT belong together', async () => {
    const first = await app.client.sign('first-key', { claims: { sub: 'a' } })
    const { kid } = first
    const payload = decodeJwt(first.jwt)
    const header = { alg: 'ES256', typ: 'JWT', kid }
    const signingInput = `${b64(JSON.stringify(header))}.${b64(JSON.stringify(payload))}`
    const { jwt, signature } = await app.client.sign('first-key', { signingInput })
    expect(jwt).toBe(`${signingInput}.${signature}`)
    await compactVerify(jwt, await app.publicKey('first-key'))
  })

  test.each(['base64url', 'base64', 'hex'] as const)('a message, in %s', async (encoding) => {
    const body = { message: b64('hello'), encoding }
    const { signature } = await app.client.sign('documents', body)
    const key = { key: await app.publicKey('documents'), dsaEncoding: 'ieee-p1363' } as const
    expect(verify('sha256', Buffer.from('hello'), key, Buffer.from(signature, encoding))).toBe(true)
  })
})

describe('fingerprint', () => {
  test('is that of the version that signs, and of every one that is asked for', async () => {
    const now = await app.client.fingerprint('first-key')
    const spki = (await app.publicKey('first-key')).export({ type: 'spki', format: 'der' })
    expect(now).toMatchObject({ key: 'first-key', version: 1, state: 'active', alg: 'ES256' })
    expect(Object.keys(now.fingerprints)).toHaveLength(6)
    expect(now.fingerprints.contentful).toBe(hash('sha256', spki, 'base64url'))
    expect(await app.client.fingerprint('first-key', { version: 1 })).toEqual(now)
    expect(await app.client.fingerprint('first-key', { version: 'all' })).toEqual([now])
  })

  test('alone is one line of text', async () => {
    const { fingerprints } = await app.client.fingerprint('first-key')
    for (const format of ['contentful', 'github', 'icr', 'ssh', 'spki-sha256-hex'] as const) {
      expect(await app.client.fingerprint('first-key', { format })).toBe(fingerprints[format])
    }
    const one = { format: 'rfc7638', version: 1 } as const
    expect(await app.client.fingerprint('first-key', one)).toBe(fingerprints.rfc7638)
  })
})

describe('a refusal is told by its code, with the id that the service’s log has', () => {
  test.each([
    ['no grant', 'nobodys', { claims: {} }, 'key_not_found', 404],
    ['the other purpose', 'documents', { claims: {} }, 'wrong_purpose', 400],
    ['a claim of the service', 'first-key', { claims: { iss: 'me' } }, 'claim_not_allowed', 400],
    ['a claim too much', 'first-key', { claims: { role: 'a' } }, 'claims_refused', 403],
  ] as const)('%s', async (_, key, body, code, status) => {
    const requestId = `asked-${code}`
    const asked = app.client.sign(key, body, { requestId })
    await expect(asked).rejects.toMatchObject({ name: 'ChanceryError', code, status, requestId })
    await eventually(() => app.serving.stderr().includes(requestId))
  })

  test('a credential that nobody has', async () => {
    const credential = `chn_${'0'.repeat(10)}_${'0'.repeat(49)}`
    const client = createChanceryClient({ url: app.serving.signUrl, credential })
    const asked = client.sign('first-key', { claims: {} })
    await expect(asked).rejects.toMatchObject({ code: 'unauthenticated', status: 401 })
  })
})

test('a limit of the grant is waited out', async () => {
  const sign = () => app.client.sign('limited', { message: '' })
  const answers = await Promise.all([sign(), sign()])
  expect(answers.map(({ key }) => key)).toEqual(['limited', 'limited'])
})

test('a service that is not there is said to be unreachable', async () => {
  const client = createChanceryClient({ url: 'http://127.0.0.1:1', credential: app.home.apiKey })
  const asked = client.sign('first-key', { claims: {} })
  await expect(asked).rejects.toMatchObject({ code: 'unreachable', status: undefined })
})
