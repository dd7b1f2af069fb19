import { generateKeyPairSync, hash } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { describe, expect, test } from 'vitest'
import { fingerprintNames } from '../../src/signing/fingerprint.ts'
import { grantOn, keyOf } from '../support/grant.ts'
import { house } from '../support/house.ts'
import { memoryKeyOf, memoryKeyPair } from '../support/memory-key.ts'
import { type Ask, signListener } from '../support/sign-listener.ts'
import { heldVersion } from '../support/signing-service.ts'
import { refusing } from '../support/audit-log.ts'

const path = (key: string, query = '') => `/v1/keys/${key}/fingerprint${query}`

/** Versions in every state, each with a key pair of its own. */
const states = [
  'revoked',
  'retired',
  'retiring',
  'active',
  'published',
  'created',
  'destroyed',
] as const

async function livingKey() {
  const key = keyOf('documents')
  const held = states.map((state, i) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    return heldVersion(key, { n: i + 1, state, memory: memoryKeyOf('ES256', privateKey) })
  })
  const grants = [grantOn(key, { operations: ['read-fingerprint'] })]
  return { held, ...(await signListener({ held, grants })) }
}

const askHouse = async (where: string, asked?: Ask) =>
  (await signListener(house())).ask(where, asked)

test('the signing version is answered, with each fingerprint that its key has', async () => {
  const { publicKey } = memoryKeyPair('ES256')
  const { spki, object } = publicKey
  const jwk = object.export({ format: 'jwk' })
  const kid = await calculateJwkThumbprint({
    kty: 'EC',
    crv: 'P-256',
    x: `${jwk.x}`,
    y: `${jwk.y}`,
  })
  const { status, body } = await askHouse(path('documents'))
  expect(status).toBe(200)
  expect(Object.keys(body)).toEqual([
    'key',
    'version',
    'state',
    'alg',
    'kid',
    'custody',
    'fingerprints',
  ])
  expect(body).toEqual({
    key: 'documents',
    version: 1,
    state: 'active',
    alg: 'ES256',
    kid,
    custody: 'software',
    fingerprints: {
      contentful: hash('sha256', spki, 'base64url'),
      github: `SHA256:${hash('sha256', spki, 'base64')}`,
      icr: hash('sha256', object.export({ type: 'spki', format: 'pem' }), 'base64'),
      rfc7638: kid,
      ssh: expect.stringMatching(/^SHA256:[\w+/]{43}$/),
      'spki-sha256-hex': expect.stringMatching(/^(?:[\da-f]{2}:){31}[\da-f]{2}$/),
    },
  })
})

describe('which version', () => {
  test('without a query it is the one that signs', async () => {
    const { ask } = await livingKey()
    expect((await ask(path('documents'))).body).toMatchObject({ version: 4, state: 'active' })
  })

  test('all are those that verifiers can see, oldest first', async () => {
    const { ask } = await livingKey()
    const { body } = await ask(path('documents', '?version=all'))
    expect(Object.keys(body)).toEqual(['key', 'versions'])
    expect(body['versions']).toEqual([
      expect.objectContaining({ version: 3, state: 'retiring' }),
      expect.objectContaining({ version: 4, state: 'active' }),
      expect.objectContaining({ version: 5, state: 'published' }),
    ])
  })

  const visible = ['retiring', 'active', 'published']
  const numbered = states.map((state, i) => ({
    n: i + 1,
    state,
    isVisible: visible.includes(state),
  }))

  test.each(numbered.filter(({ isVisible }) => isVisible))(
    'by its number: $n, which is $state',
    async ({ n, state }) => {
      const { ask, held } = await livingKey()
      const { body } = await ask(path('documents', `?version=${n}`))
      expect(body).toMatchObject({ version: n, state, kid: held[n - 1]?.version.kid })
    },
  )

  test.each(numbered.filter(({ isVisible }) => !isVisible))(
    'not by its number: $n, which is $state',
    async ({ n }) => {
      const { ask } = await livingKey()
      const { status, body } = await ask(path('documents', `?version=${n}`))
      expect([status, body['code']]).toEqual([404, 'not_found'])
    },
  )

  test('a number that never was is as one that is not visible', async () => {
    const { ask } = await livingKey()
    const headers = { 'X-Request-Id': 'the-same' }
    const never = await ask(path('documents', '?version=99'), { headers })
    const revoked = await ask(path('documents', '?version=1'), { headers })
    expect(never.text).toBe(revoked.text)
  })

  test('a key without a signing version has none to show, and an empty list', async () => {
    const { status, body } = await askHouse(path('empty'))
    expect([status, body['code']]).toEqual([503, 'no_active_version'])
    expect((await askHouse(path('empty', '?version=all'))).body).toEqual({
      key: 'empty',
      versions: [],
    })
  })
})

describe('format', () => {
  test.each(fingerprintNames)('%s: the value of that name and a newline', async (name) => {
    const listener = await signListener(house())
    const { body } = await listener.ask(path('reports'))
    const one = await listener.ask(path('reports', `?format=${name}`))
    expect(one.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(body['fingerprints']).toHaveProperty(name, one.text.replace(/\n$/, ''))
    expect(one.text).toMatch(/^[^\n]+\n$/)
  })

  test('goes with a version', async () => {
    const { ask, held } = await livingKey()
    const { text } = await ask(path('documents', '?format=rfc7638&version=5'))
    expect(text).toBe(`${held[4]?.version.kid}\n`)
  })

  test.each(fingerprintNames)(
    '%s of a symmetric key: 404, for it has no public half',
    async (name) => {
      const { status, body } = await askHouse(path('mac', `?format=${name}`))
      expect([status, body['code']]).toEqual([404, 'no_public_key'])
    },
  )

  test('a symmetric key has no fingerprints', async () => {
    const { body } = await askHouse(path('mac'))
    expect(body).toMatchObject({ kid: 'mac@1', fingerprints: {} })
  })
})

test.each([
  ['?version=0', '?version=01', '?version=-1', '?version=+1', '?version=1.0', '?version=1e1'],
  ['?version=', '?version', '?version=ALL', '?version=latest', '?version=1&version=1'],
  ['?version=9999999999', '?version=0x1', '?version=%201', '?version=1%00', '?version=all,1'],
  ['?format=', '?format=sha256', '?format=GitHub', '?format=github&format=github'],
  ['?format=constructor', '?format=__proto__', '?version=all&format=github'],
  ['?Version=1', '?n=1', '?version=1&x', '?__proto__=1', '?constructor=1', '?version[]=1'],
])('%s and the like are 400, whatever the key', async (...queries) => {
  const { ask } = await signListener(house())
  for (const query of queries) {
    for (const key of ['reports', 'hidden', 'nobody-has-this']) {
      const { status, body } = await ask(path(key, query))
      expect([query, status, body['code']]).toEqual([query, 400, 'malformed_request'])
      expect(body['issues']).toEqual([{ path: 'query', message: expect.stringMatching(/^\w/) }])
    }
  }
})

test('HEAD has the headers of GET, and needs the same credential', async () => {
  const listener = await signListener(house())
  const head = await listener.ask(path('reports'), { method: 'HEAD' })
  expect([head.status, head.text]).toEqual([200, ''])
  const without = await listener.ask(path('reports'), { method: 'HEAD', as: null })
  expect(without.status).toBe(401)
})

test('a suspended key still answers: reading asks no permission to sign', async () => {
  const listener = await signListener(house())
  listener.audit.answerIntents(refusing('suspended'))
  expect((await listener.ask(path('reports'))).status).toBe(200)
  expect(listener.audit.asked).toEqual([])
})

test('where a version lives is not told: neither its resource nor its vault', async () => {
  const { ask, held } = await livingKey()
  const { text } = await ask(path('documents', '?version=all'))
  expect(text).not.toContain(held[3]?.version.resource)
  expect(text).not.toContain('"local"')
})
