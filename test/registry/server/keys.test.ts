import { describe, expect, test } from 'vitest'
import { memoryKeyPair, publicAlgorithmNames } from '../../support/memory-key.ts'
import { contentfulJwk, orphanRsa, rfcJwk } from '../../support/registry-keys.ts'
import {
  contentfulError,
  keysPath,
  testRegistry,
  type TestRegistry,
} from '../../support/registry.ts'

const contentful = 'application/vnd.contentful.management.v1+json'
const link = (linkType: string, id: string) => ({ sys: { type: 'Link', linkType, id } })

/** The whole entity, as Contentful’s API reference shows it. */
function entity({ admin, clock }: TestRegistry, jwk: { readonly kid: string }) {
  const at = new Date(clock.now()).toISOString()
  const by = link('User', admin.split('_')[1] ?? '')
  const sys = {
    type: 'AppKey',
    id: jwk.kid,
    organization: link('Organization', 'acme'),
    appDefinition: link('AppDefinition', 'blog'),
    createdAt: at,
    createdBy: by,
    updatedAt: at,
    updatedBy: by,
    lastUsedAt: null,
  }
  return { sys, jwk }
}

const shapes: readonly (readonly [string, () => { readonly kid: string }])[] = [
  ['Contentful’s shape', () => contentfulJwk(orphanRsa())],
  ...publicAlgorithmNames.map((alg) => [`a JWK for ${alg}`, () => rfcJwk(alg)] as const),
]

describe.each(shapes)('%s', (_, make) => {
  test('is created, read, listed and withdrawn, as it was sent', async () => {
    const registry = await testRegistry()
    const jwk = make()
    const created = await registry.ask(keysPath(), { body: { jwk } })
    expect(created.status).toBe(201)
    expect(created.headers.get('content-type')).toBe(contentful)
    expect(created.body).toEqual(entity(registry, jwk))

    const path = `${keysPath()}/${jwk.kid}`
    const read = await registry.ask(path, { token: registry.reader })
    expect([read.status, read.body]).toEqual([200, created.body])
    const list = await registry.ask(keysPath(), { token: registry.reader })
    const items = [created.body]
    expect(list.body).toEqual({ sys: { type: 'Array' }, total: 1, skip: 0, limit: 100, items })

    const gone = await registry.ask(path, { method: 'DELETE' })
    expect([gone.status, gone.text]).toEqual([204, ''])
    expect((await registry.ask(path)).status).toBe(404)
    expect((await registry.ask(path, { method: 'DELETE' })).status).toBe(404)
    expect((await registry.ask(keysPath(), { body: { jwk } })).status).toBe(201)
  })
})

test('the list is oldest first, and comes in pages', async () => {
  const registry = await testRegistry()
  const jwks = [orphanRsa(), orphanRsa(), orphanRsa()].map(contentfulJwk)
  for (const jwk of jwks) {
    await registry.ask(keysPath(), { body: { jwk } })
    registry.clock.advance(1)
  }
  const page = async (query: string) => {
    const { body } = await registry.ask(`${keysPath()}${query}`)
    return { ...body, items: body.items?.map((item) => JSON.stringify(item)) }
  }
  const kids = jwks.map(({ kid }) => expect.stringContaining(`"kid":"${kid}"`))
  expect(await page('')).toMatchObject({ total: 3, skip: 0, limit: 100, items: kids })
  expect(await page('?skip=1&limit=1')).toMatchObject({
    total: 3,
    skip: 1,
    limit: 1,
    items: [kids[1]],
  })
  expect(await page('?skip=3')).toMatchObject({ total: 3, items: [] })
})

test('a key is read and withdrawn through its own app only', async () => {
  const { ask, stranger: token } = await testRegistry()
  const [ours, theirs] = [rfcJwk('ES256'), rfcJwk('EdDSA')]
  await ask(keysPath('shop'), { body: { jwk: ours } })
  await ask(keysPath('theirs', 'other'), { body: { jwk: theirs }, token })
  for (const { kid } of [ours, theirs]) {
    expect((await ask(`${keysPath('blog')}/${kid}`)).status).toBe(404)
    expect((await ask(`${keysPath('blog')}/${kid}`, { method: 'DELETE' })).status).toBe(404)
  }
  expect((await ask(`${keysPath('shop')}/${ours.kid}`)).status).toBe(200)
  expect((await ask(`${keysPath('theirs', 'other')}/${theirs.kid}`, { token })).status).toBe(200)
})

test('422 ValidationFailed says where and why, and changes nothing', async () => {
  const { ask } = await testRegistry()
  const { kid } = contentfulJwk(orphanRsa())
  const jwk = { ...contentfulJwk(orphanRsa()), kid, x5t: kid }
  const answer = await ask(keysPath(), { body: { jwk } })
  const details = 'not the base64url SHA-256 of the DER SubjectPublicKeyInfo'
  const errors = ['kid', 'x5t'].map((name) => ({ name: 'invalid', path: ['jwk', name], details }))
  expect(answer.status).toBe(422)
  expect(answer.body).toEqual(contentfulError('ValidationFailed', 'Validation error', { errors }))
  expect((await ask(keysPath())).body).toMatchObject({ total: 0 })
})

test('422 answers a request to generate a key pair, and a private one; neither is shown again', async () => {
  const { ask, log } = await testRegistry()
  const { d, ...jwk } = memoryKeyPair('ES256').secret.export({ format: 'jwk' })
  const generated = await ask(keysPath(), { body: { generate: true } })
  const sent = await ask(keysPath(), { body: { jwk: { ...rfcJwk('ES256'), ...jwk, d } } })
  expect([generated.status, sent.status]).toEqual([422, 422])
  expect(sent.body).toMatchObject({ details: { errors: [{ path: ['jwk', 'd'] }] } })
  expect(d).toHaveLength(43)
  expect(sent.text + log()).not.toContain(d)
  expect(generated.text).not.toContain('privateKey')
})
