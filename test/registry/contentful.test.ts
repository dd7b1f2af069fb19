import { describe, expect, test } from 'vitest'
import { utf8 } from '../../src/lib/bytes.ts'
import { Secret } from '../../src/lib/secret.ts'
import { contentfulRegistry } from '../../src/registry/contentful.ts'
import type { Registration } from '../../src/registry/registry.ts'
import { fingerprints } from '../../src/signing/fingerprint.ts'
import { thrownBy } from '../support/app-registry.ts'
import { fakeContentful, type FakeContentful } from '../support/fake-contentful.ts'
import { orphanRsa } from '../support/registry-keys.ts'
import { patience } from '../support/signing-service.ts'

/** The adapter of jobs on Contentful's own API. */

const registration = (bits = 4_096): Registration => {
  const publicKey = orphanRsa(bits)
  return { kid: fingerprints(publicKey).contentful, algorithm: 'RS256', publicKey }
}

function adapter(fake: FakeContentful, app = 'blog') {
  const pauses: number[] = []
  const token = async () => new Secret(utf8(fake.token))
  const registry = contentfulRegistry(
    { url: fake.url, organization: 'acme', app, token },
    async (ms) => void pauses.push(ms),
  )
  return { ...registry, pauses }
}

const begun = async (options = {}) => {
  const fake = await fakeContentful(['blog', 'shop'], options)
  return { fake, registry: adapter(fake) }
}

const keysPath = '/organizations/acme/app_definitions/blog/keys'
const listing = `GET ${keysPath}?skip=0&limit=100`

describe('publishing to Contentful', () => {
  test('looks, writes once, and reads back', async () => {
    const { fake, registry } = await begun()
    const one = registration()
    expect(await registry.publish(one, patience)).toEqual({ verdict: 'done' })
    expect(fake.requests).toEqual([listing, `POST ${keysPath}`, listing])
    expect(fake.kids('blog')).toEqual([one.kid])
  })

  test('again is done, and writes nothing', async () => {
    const { fake, registry } = await begun()
    const one = registration()
    await registry.publish(one, patience)
    expect(await registry.publish(one, patience)).toEqual({ verdict: 'done' })
    expect(fake.requests.filter((request) => request.startsWith('POST'))).toHaveLength(1)
  })

  test('waits until it is seen, and says so when it never is', async () => {
    const { fake, registry } = await begun()
    fake.delayReads(3)
    await registry.publish(registration(), patience)
    expect(registry.pauses).toEqual([200, 200, 200])
    fake.delayReads(99)
    const error = await thrownBy(registry.publish(registration(), patience))
    expect(error).toMatchObject({
      code: 'registry_unavailable',
      message: 'The registry accepted the key and does not list it',
    })
  })

  test('of a key pair that another app has is refused for ever, with the remedy', async () => {
    const { fake, registry } = await begun()
    const one = registration()
    await adapter(fake, 'shop').publish(one, patience)
    const error = await thrownBy(registry.publish(one, patience))
    expect(error).toMatchObject({
      code: 'registry_refused',
      message:
        'The registry has this key pair for another app: delete it there, or revoke this version and rotate again',
    })
  })

  test('of a fourth key is refused, and says where to look', async () => {
    const { fake, registry } = await begun()
    for (let i = 0; i < 3; i += 1) fake.addKey('blog', orphanRsa().spki)
    const error = await thrownBy(registry.publish(registration(), patience))
    expect(error).toMatchObject({
      code: 'registry_refused',
      message: 'The app has no free key slot: see `chancery keys show` for what takes them',
    })
  })

  test('of a key that is too small is refused', async () => {
    const { fake, registry } = await begun()
    const error = await thrownBy(registry.publish(registration(3_072), patience))
    expect(error).toMatchObject({
      code: 'registry_refused',
      message: 'The registry does not take this key',
    })
    expect(fake.kids('blog')).toEqual([])
  })

  test('where another key stands under the id of ours is refused, and ours is not thought to be there', async () => {
    const { fake, registry } = await begun()
    const one = registration()
    fake.addKey('blog', orphanRsa().spki, one.kid)
    const error = await thrownBy(registry.publish(one, patience))
    expect(error).toMatchObject({
      code: 'registry_refused',
      message: 'The registry has another key under the id of this one: delete it there',
    })
  })

  test('with a revoked token is denied, and the vendor is not quoted', async () => {
    const { fake, registry } = await begun()
    fake.revokeToken()
    const error = await thrownBy(registry.publish(registration(), patience))
    expect(error).toMatchObject({
      code: 'registry_denied',
      message: 'The registry does not accept our token for this: check tokenFile and its role',
    })
  })

  test('of an app that is not there is refused', async () => {
    const { fake } = await begun()
    const error = await thrownBy(adapter(fake, 'nowhere').publish(registration(), patience))
    expect(error).toMatchObject({
      code: 'registry_refused',
      message: 'The registry has no such app: correct organization and app in the configuration',
    })
  })
})

describe('a rate limit', () => {
  test('is waited out for as long as Contentful says', async () => {
    const { fake, registry } = await begun()
    fake.limitNext(2)
    expect(await registry.publish(registration(), patience)).toEqual({ verdict: 'done' })
    expect(registry.pauses).toEqual([1_000, 1_000])
  })

  test('that does not end is told, with the time to come again', async () => {
    const { fake, registry } = await begun()
    fake.limitNext(99)
    const error = await thrownBy(registry.publish(registration(), patience))
    expect(error).toMatchObject({
      code: 'registry_unavailable',
      message: 'The registry limits its rate: run again in 1 s',
      details: { retryAfterMs: 1_000 },
    })
    expect(registry.pauses).toEqual([1_000, 1_000, 1_000])
  })
})

describe('the list', () => {
  test('has every page of keys, what they are, and nothing of when they were never used', async () => {
    const { fake, registry } = await begun({ pageMax: 2 })
    const keys = [orphanRsa(), orphanRsa(), orphanRsa()]
    for (const { spki } of keys) fake.addKey('blog', spki)
    const kids = keys.map((key) => fingerprints(key).contentful)
    expect(await registry.list?.(patience)).toEqual(
      kids.map((kid) => ({ kid, fingerprint: kid, lastUsedAt: undefined })),
    )
    expect(fake.requests).toEqual([listing, `GET ${keysPath}?skip=2&limit=100`])
  })

  test('has nothing of a key that is not readable, but its id', async () => {
    const { fake, registry } = await begun()
    fake.addKey('blog', utf8('no key'))
    const [listed] = (await registry.list?.(patience)) ?? []
    expect(listed).toMatchObject({ kid: fake.kids('blog')[0], fingerprint: undefined })
  })
})

test('withdrawing takes the key away; one that is not there is withdrawn', async () => {
  const { fake, registry } = await begun()
  const one = registration()
  await registry.publish(one, patience)
  expect(await registry.withdraw(one, patience)).toEqual({ verdict: 'done' })
  expect(fake.kids('blog')).toEqual([])
  expect(await registry.withdraw(one, patience)).toEqual({ verdict: 'done' })
})
