import { describe, expect, test } from 'vitest'
import { embeddedRegistry } from '../../src/registry/embedded.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { Secret } from '../../src/lib/secret.ts'
import { appRegistry, registrationOf, thrownBy } from '../support/app-registry.ts'
import { documentServer } from '../support/document-server.ts'
import { publicAlgorithmNames } from '../support/memory-key.ts'
import { orphanRsa, rfcJwk } from '../support/registry-keys.ts'
import { jwksPath, keysPath, listening, testRegistry } from '../support/registry.ts'
import { patience } from '../support/signing-service.ts'

/** The adapter of jobs on our own registry, over a socket. */

async function begun(app = 'blog') {
  const server = await testRegistry()
  const { url } = await listening(server)
  const as = (token: string, ofApp = app) => appRegistry(url, token, { app: ofApp })
  const jwks = async () => (await server.ask(jwksPath(app), { token: undefined })).body.keys ?? []
  return { server, url, as, mine: as(server.admin), jwks }
}

describe('publishing to the embedded registry', () => {
  test.each(publicAlgorithmNames)('%s: verifiers see the key under its kid', async (name) => {
    const { mine, jwks } = await begun()
    const one = registrationOf(name)
    expect(await mine.publish(one, patience)).toEqual({ verdict: 'done' })
    expect(await jwks()).toEqual([{ ...rfcJwk(name), kid: one.kid, alg: name, use: 'sig' }])
    expect(await mine.list?.(patience)).toEqual([
      { kid: one.kid, fingerprint: one.kid, lastUsedAt: undefined },
    ])
    expect(await mine.withdraw(one, patience)).toEqual({ verdict: 'done' })
    expect(await jwks()).toEqual([])
  })

  test('again is done, and registers nothing', async () => {
    const { server, mine } = await begun()
    const one = registrationOf()
    for (let i = 0; i < 3; i += 1) {
      expect(await mine.publish(one, patience)).toEqual({ verdict: 'done' })
    }
    const changes = await server.store.connection.selectFrom('changes').selectAll().execute()
    expect(changes.filter(({ action }) => action === 'create key')).toHaveLength(1)
  })

  test('by two jobs at once is done for both, and registers one key', async () => {
    const { mine, jwks } = await begun()
    const one = registrationOf()
    const both = [mine.publish(one, patience), mine.publish(one, patience)]
    expect(await Promise.all(both)).toEqual([{ verdict: 'done' }, { verdict: 'done' }])
    expect(await jwks()).toHaveLength(1)
  })

  test('of a key pair that another app has is refused for ever, with what to do', async () => {
    const { server, as, mine } = await begun()
    const one = registrationOf()
    await as(server.admin, 'shop').publish(one, patience)
    const error = await thrownBy(mine.publish(one, patience))
    expect(error).toMatchObject({
      code: 'registry_refused',
      message:
        'The registry has this key pair for another app: delete it there, or revoke this version and rotate again',
    })
  })

  test('of a fourth key is refused, and says where to look', async () => {
    const { server, mine } = await begun()
    for (let i = 0; i < 3; i += 1) {
      const { status } = await server.ask(keysPath(), {
        body: { jwk: rfcJwk('RS256', orphanRsa()) },
      })
      expect(status).toBe(201)
    }
    const error = await thrownBy(mine.publish(registrationOf(), patience))
    expect(error).toMatchObject({
      code: 'registry_refused',
      message: 'The app has no free key slot: see `chancery keys show` for what takes them',
    })
  })

  test.each([
    ['reader', 'registry_denied'],
    // Of another organization it learns nothing, not even that the app is there.
    ['stranger', 'registry_refused'],
  ] as const)('with a %s’s token is not done: %s', async (role, code) => {
    const { server, as, jwks } = await begun()
    const error = await thrownBy(as(server[role]).publish(registrationOf(), patience))
    expect(error.code).toBe(code)
    expect(await jwks()).toEqual([])
  })

  test('with an unknown token is denied, to an unknown app refused', async () => {
    const { server, as } = await begun()
    const denied = await thrownBy(as('chr_unknown').publish(registrationOf(), patience))
    expect(denied.code).toBe('registry_denied')
    const refused = await thrownBy(as(server.admin, 'nowhere').publish(registrationOf(), patience))
    expect(refused).toMatchObject({
      code: 'registry_refused',
      message: 'The registry has no such app: correct organization and app in the configuration',
    })
  })

  test('too often in a second says when to come again', async () => {
    const { mine } = await begun()
    const asked = Array.from({ length: 51 }, async () => mine.list?.(patience))
    const [first] = (await Promise.allSettled(asked)).filter(({ status }) => status === 'rejected')
    expect(first).toMatchObject({
      reason: {
        code: 'registry_unavailable',
        message: 'The registry limits its rate: run again in 1 s',
      },
    })
  })

  test('over an address that ends in slashes is the same', async () => {
    const { server, url } = await begun()
    const address = { url: `${url}//`, organization: 'acme', app: 'blog' }
    const registry = embeddedRegistry({
      ...address,
      token: async () => new Secret(utf8(server.admin)),
    })
    expect(await registry.publish(registrationOf(), patience)).toEqual({ verdict: 'done' })
  })
})

describe('how long verifiers go on with the keys that they have seen', () => {
  /** The adapter as jobs have it; for this it needs no token, and sends none. */
  const registryAt = (url: string, app = 'blog') =>
    embeddedRegistry({
      url,
      organization: 'acme',
      app,
      token: async () => {
        throw new Error('the token is not needed')
      },
    })

  test('is the max-age of the JWKS that they read', async () => {
    const { url } = await begun()
    expect(await registryAt(url).propagationMs?.(patience)).toBe(300_000)
  })

  test('is not known of an app that is not there', async () => {
    const { url } = await begun()
    const asked = registryAt(url, 'nobody').propagationMs?.(patience) ?? Promise.resolve()
    expect(await thrownBy(asked)).toMatchObject({ code: 'registry_unavailable' })
  })

  test.each([
    ['max-age=60', 60_000],
    ['public, MAX-AGE="5", immutable', 5_000],
    ['no-store', 0],
    ['s-maxage=60', 0],
  ])('%s: %i ms', async (cacheControl, expected) => {
    await using server = await documentServer((_, response) => {
      response.writeHead(200, { 'Cache-Control': cacheControl, 'Content-Type': 'application/json' })
      response.end('{"keys":[]}')
    })
    expect(await registryAt(server.url).propagationMs?.(patience)).toBe(expected)
    expect(server.asked).toEqual(['/apps/blog/.well-known/jwks.json'])
  })
})
