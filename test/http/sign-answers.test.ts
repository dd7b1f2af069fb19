import { createHash, verify } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { goodClaims, house } from '../support/house.ts'
import { memoryKeyPair } from '../support/memory-key.ts'
import { type Answer, signListener, type SignListener, signPath } from '../support/sign-listener.ts'

/** CONTRACT §1.1: exactly these members, in this order. The clock stands at 1,800,000,000 s. */
const claimsMembers = ['jwt', 'key', 'version', 'kid', 'alg', 'expiresAt']
const inputMembers = ['signature', 'jwt', 'key', 'version', 'kid', 'alg', 'expiresAt']
const messageMembers = ['signature', 'key', 'version', 'kid', 'alg']

const { publicKey } = memoryKeyPair('ES256')
const kid = expect.stringMatching(/^[\w-]{43}$/)
const segment = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const signingInput = `${segment({ alg: 'ES256', typ: 'JWT' })}.${segment({
  iss: 'https://acme.example',
  jti: 'theirs',
  iat: 1_800_000_000,
  exp: 1_800_000_300,
  sub: '42',
})}`
const message = Buffer.from('some bytes')

let listener: SignListener
beforeAll(async () => {
  listener = await signListener(house())
})

const sign = (key: string, body: object, accept?: string): Promise<Answer> =>
  listener.ask(signPath(key), {
    body,
    ...(accept === undefined ? {} : { headers: { Accept: accept } }),
  })

function isGenuine(signature: Uint8Array, signed: string | Uint8Array): boolean {
  const key = { key: publicKey.object, dsaEncoding: 'ieee-p1363' } as const
  return verify('sha256', Buffer.from(signed), key, signature)
}

test('claims are answered by the JWT and what it is', async () => {
  const { status, body } = await sign('reports', goodClaims)
  expect(status).toBe(200)
  expect(Object.keys(body)).toEqual(claimsMembers)
  expect(body).toEqual({
    jwt: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]{86}$/),
    key: 'reports',
    version: 1,
    kid,
    alg: 'ES256',
    expiresAt: '2027-01-15T08:15:00Z',
  })
  const jwt = String(body['jwt'])
  expect(decodeProtectedHeader(jwt)).toEqual({ alg: 'ES256', typ: 'JWT', kid: body['kid'] })
  expect(decodeJwt(jwt)).toEqual({
    iss: 'https://acme.example',
    jti: expect.stringMatching(/^[0-9A-Z]{26}$/),
    iat: 1_800_000_000,
    exp: 1_800_000_900,
    sub: '42',
  })
})

test('a profile without kid has none in the header, and one in the answer', async () => {
  const { body } = await sign('bot', { claims: {} })
  expect(body).toMatchObject({ kid, alg: 'RS256', expiresAt: '2027-01-15T08:09:00Z' })
  expect(decodeProtectedHeader(String(body['jwt']))).toEqual({ alg: 'RS256', typ: 'JWT' })
})

test('a signing input is answered by its signature, and by the JWT that it makes', async () => {
  const { status, body } = await sign('reports', { signingInput })
  expect(status).toBe(200)
  expect(Object.keys(body)).toEqual(inputMembers)
  expect(body).toMatchObject({ key: 'reports', version: 1, kid, alg: 'ES256' })
  expect(body['expiresAt']).toBe('2027-01-15T08:05:00Z')
  expect(body['jwt']).toBe(`${signingInput}.${String(body['signature'])}`)
  expect(isGenuine(Buffer.from(String(body['signature']), 'base64url'), signingInput)).toBe(true)
})

test('a digest is answered as its message would be', async () => {
  const digest = createHash('sha256').update(message).digest('base64')
  const { status, body } = await sign('documents', { digest, encoding: 'base64' })
  expect(status).toBe(200)
  expect(Object.keys(body)).toEqual(messageMembers)
  expect(body).toMatchObject({ key: 'documents', version: 1, alg: 'ES256' })
  expect(isGenuine(Buffer.from(String(body['signature']), 'base64'), message)).toBe(true)
  const { text } = await sign('documents', { digest }, 'text/plain')
  expect(isGenuine(Buffer.from(text.trim(), 'base64url'), message)).toBe(true)
})

test('a message is answered by its signature, and never by a JWT', async () => {
  const { status, body } = await sign('documents', { message: message.toString('base64') })
  expect(status).toBe(200)
  expect(Object.keys(body)).toEqual(messageMembers)
  expect(body).toMatchObject({ key: 'documents', version: 1, kid, alg: 'ES256' })
  expect(isGenuine(Buffer.from(String(body['signature']), 'base64url'), message)).toBe(true)
})

test('a symmetric key’s kid is the name of its version', async () => {
  const { body } = await sign('mac', { message: '' })
  expect(body).toMatchObject({ kid: 'mac@1', alg: 'HS256' })
})

describe.each([
  [undefined, 'base64url', /^[\w-]{86}$/],
  ['base64url', 'base64url', /^[\w-]{86}$/],
  ['base64', 'base64', /^[\w+/]{86}==$/],
  ['hex', 'hex', /^[\da-f]{128}$/],
] as const)('encoding %s', (encoding, written, shape) => {
  const asked = encoding === undefined ? {} : { encoding }

  test.each([
    ['documents', { message: message.toString('base64') }, message],
    ['reports', { signingInput }, signingInput],
  ] as const)('the signature by %s', async (key, body, signed) => {
    const json = await sign(key, { ...body, ...asked })
    const text = await sign(key, { ...body, ...asked }, 'text/plain')
    for (const signature of [String(json.body['signature']), text.text.trimEnd()]) {
      expect(signature).toMatch(shape)
      expect(isGenuine(Buffer.from(signature, written), signed)).toBe(true)
    }
  })

  test('a JWT is compact whatever the signature is', async () => {
    const { body } = await sign('reports', { signingInput, ...asked })
    expect(body['jwt']).toMatch(/^[\w-]+\.[\w-]+\.[\w-]{86}$/)
  })

  test('is refused beside claims', async () => {
    const { status, body } = await sign('reports', { ...goodClaims, ...asked })
    expect([status, body['code']]).toEqual(encoding ? [400, 'malformed_request'] : [200, undefined])
  })
})

describe('Accept: text/plain', () => {
  test.each([
    ['reports', goodClaims, /^[\w-]+\.[\w-]+\.[\w-]{86}\n$/],
    ['reports', { signingInput }, /^[\w-]{86}\n$/],
    ['documents', { message: '' }, /^[\w-]{86}\n$/],
  ])('%s %j: one value and a newline', async (key, body, shape) => {
    const answer = await sign(key, body, 'text/plain')
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(answer.headers.get('server-timing')).toMatch(/^vault;dur=\d+\.\d\d$/)
    expect(answer.text).toMatch(shape)
  })

  test.each(['TEXT/PLAIN', 'text/plain; charset=utf-8', 'text/plain, */*'])(
    'also as %s',
    async (accept) => {
      const answer = await sign('reports', goodClaims, accept)
      expect(answer.text).toMatch(/^[\w-]+\.[\w-]+\.[\w-]{86}\n$/)
    },
  )

  test.each(['application/json', '*/*', 'text/html', 'text/plainer', ''])(
    'not with %s',
    async (accept) => {
      const answer = await sign('reports', goodClaims, accept)
      expect(answer.headers.get('content-type')).toBe('application/json')
    },
  )

  test('a refusal is a problem document all the same', async () => {
    const answer = await sign('hidden', goodClaims, 'text/plain')
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
  })
})
