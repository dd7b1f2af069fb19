import { createClient, type PlainClientAPI } from 'contentful-management'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { contentfulJwk, orphanRsa } from '../../support/registry-keys.ts'
import { listening, testRegistry, type TestRegistry } from '../../support/registry.ts'

/** Contentful’s own client, as it comes: what it takes for Contentful, others will. */

const ids = { organizationId: 'acme', appDefinitionId: 'blog' }

let registry: TestRegistry
let client: PlainClientAPI
let clientOf: (accessToken: string) => PlainClientAPI
beforeEach(async () => {
  registry = await testRegistry()
  const { url } = await listening(registry)
  const options = { host: new URL(url).host, insecure: true, retryOnError: false }
  clientOf = (accessToken) => createClient({ ...options, accessToken }, { type: 'plain' })
  client = clientOf(registry.admin)
})

/** In its message the client puts everything that it has understood. */
const understood = z.object({
  status: z.int(),
  statusText: z.string(),
  message: z.string(),
  details: z.unknown(),
  requestId: z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/),
})

async function refusal(asked: Promise<unknown>) {
  const error: unknown = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Error)) throw new Error('it was not refused')
  return { name: error.name, ...understood.parse(JSON.parse(error.message)) }
}

const newJwk = () => contentfulJwk(orphanRsa())

describe('contentful-management', () => {
  test('creates, gets, lists and deletes a key', async () => {
    const jwk = newJwk()
    const created = await client.appKey.create(ids, { jwk })
    expect(created.jwk).toEqual(jwk)
    expect(created.sys).toMatchObject({
      id: jwk.kid,
      type: 'AppKey',
      organization: { sys: { type: 'Link', linkType: 'Organization', id: 'acme' } },
      appDefinition: { sys: { type: 'Link', linkType: 'AppDefinition', id: 'blog' } },
      lastUsedAt: null,
    })
    const named = { ...ids, fingerprint: jwk.kid }
    expect(await client.appKey.get(named)).toEqual(created)
    const list = await client.appKey.getMany(ids)
    expect(list).toMatchObject({ sys: { type: 'Array' }, total: 1, items: [created] })
    await client.appKey.delete(named)
    expect((await client.appKey.getMany(ids)).items).toEqual([])
    expect(await refusal(client.appKey.get(named))).toMatchObject({ name: 'NotFound', status: 404 })
    expect(await refusal(client.appKey.delete(named))).toMatchObject({ name: 'NotFound' })
  })

  test('reads a duplicate as BadRequest, in the same app and in another', async () => {
    const jwk = newJwk()
    await client.appKey.create(ids, { jwk })
    for (const appDefinitionId of ['blog', 'shop']) {
      const asked = client.appKey.create({ ...ids, appDefinitionId }, { jwk })
      const message = 'The key pair is already in use.'
      expect(await refusal(asked)).toMatchObject({ name: 'BadRequest', status: 400, message })
    }
  })

  test('reads a fourth key as AccessDenied, since usage is exceeded', async () => {
    for (let i = 0; i < 3; i += 1) await client.appKey.create(ids, { jwk: newJwk() })
    expect(await refusal(client.appKey.create(ids, { jwk: newJwk() }))).toMatchObject({
      name: 'AccessDenied',
      status: 403,
      details: { reasons: 'Usage exceeded.' },
    })
  })

  test('reads a bad JWK as ValidationFailed, with the place', async () => {
    const jwk = { ...newJwk(), x5t: newJwk().x5t }
    const message = 'not the base64url SHA-256 of the DER SubjectPublicKeyInfo'
    expect(await refusal(client.appKey.create(ids, { jwk }))).toMatchObject({
      name: 'ValidationFailed',
      status: 422,
      details: { errors: [{ path: ['jwk', 'x5t'], details: message }] },
    })
  })

  test('gets no private key, whatever it asks for', async () => {
    const asked = client.appKey.create(ids, { generate: true })
    expect(await refusal(asked)).toMatchObject({ name: 'ValidationFailed', status: 422 })
    expect((await client.appKey.getMany(ids)).items).toEqual([])
  })

  test('reads what a token may not do as Contentful says it', async () => {
    const asked = (token: string) => refusal(clientOf(token).appKey.create(ids, { jwk: newJwk() }))
    expect(await asked(registry.reader)).toMatchObject({ name: 'AccessDenied', status: 403 })
    expect(await asked(registry.stranger)).toMatchObject({ name: 'NotFound', status: 404 })
    expect(await asked('wrong')).toMatchObject({ name: 'AccessTokenInvalid', status: 401 })
    expect((await clientOf(registry.reader).appKey.getMany(ids)).total).toBe(0)
  })

  test('reads a rate that is exceeded as RateLimitExceeded', async () => {
    const many = Array.from({ length: 51 }, () => client.appKey.getMany(ids))
    const settled = await Promise.allSettled(many)
    const refused = settled.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(1)
    expect(await refusal(client.appKey.getMany(ids))).toMatchObject({
      name: 'RateLimitExceeded',
      status: 429,
    })
  })
})
