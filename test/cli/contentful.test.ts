import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { generateKeyPairSync } from 'node:crypto'
import { getManagementToken } from '@contentful/node-apps-toolkit'
import { createClient } from 'contentful-management'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { contentfulAppToken } from '../../src/client/index.ts'
import { application, type Application } from '../support/application.ts'
import { appToken, fakeContentful, type FakeContentful } from '../support/fake-contentful.ts'
import { type Home, homesOfThisFile, statesIn } from '../support/home.ts'
import { orphanRsa } from '../support/registry-keys.ts'

/** An app at Contentful, from its first key to an entry that it reads. */

const homes = homesOfThisFile()
const installation = {
  spaceId: 'space',
  environmentId: 'master',
  appInstallationId: 'blogApp',
}
let fake: FakeContentful
let app: Application
let kid: string
beforeAll(async () => {
  fake = await fakeContentful(['blogApp', 'fullApp'], { end: afterAll })
  const home = homes.copy()
  writeFileSync(home.at('cma-token'), `${fake.token}\n`, { mode: 0o600 })
  home.edit((text) =>
    text.replace(
      'keys:\n',
      `registries:\n  contentful: { type: contentful, url: ${fake.url}, organization: acme, tokenFile: ./var/cma-token }\nkeys:\n`,
    ),
  )
  const key =
    'blog: { vault: local, alg: RS256, profile: { name: contentful-app, issuer: blogApp }, registry: { name: contentful, app: blogApp }, rotation: { standby: 0 } }'
  app = await application(home, [{ key, grant: 'operations: [sign-claims, read-fingerprint]' }])
  kid = (await app.client.fingerprint('blog')).fingerprints.contentful ?? ''
})
afterAll(() => app.serving[Symbol.asyncDispose]())

const shown = z.looseObject({ registry: z.unknown() })
const registryShown = async () =>
  shown.parse((await app.home.json(['keys', 'show', 'blog'])).document).registry

test('rotate makes a key that Contentful takes, and tells it there', () => {
  expect(fake.kids('blogApp')).toEqual([kid])
  expect(statesIn(app.home)).toContain('blog@1 active')
})

describe('an application that holds no key', () => {
  const manage = (accessToken: string | (() => Promise<string>)) =>
    createClient(
      { accessToken, host: new URL(fake.url).host, insecure: true, retryOnError: false },
      { type: 'plain' },
    )

  test('reads an entry by contentful-management, with tokens that the client library gets', async () => {
    const before = fake.requests.length
    const accessToken = contentfulAppToken(app.client, 'blog', { ...installation, host: fake.url })
    const client = manage(accessToken)
    for (let i = 0; i < 2; i += 1) {
      const entry = await client.entry.get({ ...installation, entryId: 'first' })
      expect(entry.sys.id).toBe('first')
    }
    expect(fake.requests.slice(before).map((request) => request.replace(/.*\//, ''))).toEqual([
      'access_tokens',
      'first',
      'first',
    ])
  })

  test('finds by contentful-management the key that rotate has put there', async () => {
    const ids = { organizationId: 'acme', appDefinitionId: 'blogApp' }
    const { items } = await manage(fake.token).appKey.getMany(ids)
    const spki = (await app.publicKey('blog')).export({ type: 'spki', format: 'der' })
    expect(items).toMatchObject([{ sys: { id: kid }, jwk: { x5c: [spki.toString('base64')] } }])
  })

  test('or gives contentful-management the JWT itself', async () => {
    const { jwt } = await app.client.jwt('blog')
    const { token } = await manage('none').appAccessToken.create(
      { spaceId: 'space', environmentId: 'master', appDefinitionId: 'blogApp' },
      { jwt },
    )
    expect(token).toBe(appToken)
  })

  test('is told that its JWT is refused, where the app is another', async () => {
    const elsewhere = { ...installation, appInstallationId: 'fullApp', host: fake.url }
    const asked = contentfulAppToken(app.client, 'blog', elsewhere)()
    await expect(asked).rejects.toMatchObject({ code: 'token_refused', status: 401 })
  })

  test('asks as Contentful’s own toolkit does with a private key', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
    fake.addKey('fullApp', publicKey.export({ type: 'spki', format: 'der' }))
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const options = { ...installation, appInstallationId: 'fullApp', host: fake.url }
    expect(await getManagementToken(pem, options)).toBe(appToken)
  })
})

describe('keys show', () => {
  test('says when Contentful saw the key used', async () => {
    await contentfulAppToken(app.client, 'blog', { ...installation, host: fake.url })()
    const used = [{ name: 'blog@1', lastUsedAt: '2026-11-21T05:00:00.000Z' }]
    expect(await registryShown()).toMatchObject({ verdict: 'known', missing: [], used })
    const { stdout } = await app.home.run(['keys', 'show', 'blog'])
    expect(stdout).toContain('  registry: blog@1 last used 2026-11-21T05:00:00')
  })

  test('--terraform prints resources that hold the key as Contentful has it', async () => {
    const { stdout, exitCode } = await app.home.run(['keys', 'show', 'blog', '--terraform'])
    const spki = (await app.publicKey('blog')).export({ type: 'spki', format: 'der' })
    expect(exitCode).toBe(0)
    expect(stdout).toBe(`import {
  to = contentful_app_key.blog-1
  id = "acme/blogApp/${kid}"
}

resource "contentful_app_key" "blog-1" {
  organization_id   = "acme"
  app_definition_id = "blogApp"

  jwk = {
    alg = "RS256"
    kty = "RSA"
    use = "sig"
    kid = "${kid}"
    x5t = "${kid}"
    x5c = ["${spki.toString('base64')}"]
  }
}
`)
  })

  test('--terraform of a key that Contentful has nothing to do with is refused', async () => {
    const { exitCode, stderr } = await app.home.run(['keys', 'show', 'first-key', '--terraform'])
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('type contentful')])
  })
})

describe('what Contentful has is compared with what it was told:', () => {
  test('a key that nobody here knows is named', async () => {
    const foreign = orphanRsa()
    fake.addKey('blogApp', foreign.spki)
    const [, unknown = ''] = fake.kids('blogApp')
    expect(await registryShown()).toMatchObject({ unknownKids: [unknown], differing: [] })
    fake.removeKey('blogApp', unknown)
  })

  test('a key that is gone is missing, and another under its id is told from it', async () => {
    const spki = (await app.publicKey('blog')).export({ type: 'spki', format: 'der' })
    fake.removeKey('blogApp', kid)
    expect(await registryShown()).toMatchObject({ missing: ['blog@1'], differing: [] })
    fake.addKey('blogApp', orphanRsa().spki, kid)
    expect(await registryShown()).toMatchObject({ missing: [], differing: ['blog@1'] })
    const { stdout } = await app.home.run(['sync'])
    expect(stdout).toBe('blog@1 is not what its registry has under its id: delete that there\n')
    fake.removeKey('blogApp', kid)
    fake.addKey('blogApp', spki)
  })
})

describe('nothing is half-registered, and the next run goes on:', () => {
  let other: Home
  const putToken = (token: string) =>
    writeFileSync(other.at('cma-token'), `${token}\n`, { mode: 0o600 })
  beforeAll(() => {
    other = homes.copy()
    const text = readFileSync(app.home.configFile, 'utf8').replaceAll('blogApp', 'fullApp')
    writeFileSync(other.configFile, text)
    while (fake.kids('fullApp').length < 3) fake.addKey('fullApp', orphanRsa().spki)
  })

  test('with a management token that was revoked no key is made, and its remedy is said', async () => {
    const before = fake.kids('fullApp')
    putToken('CFPAT-revoked')
    const { exitCode, document } = await other.json(['rotate', 'blog'])
    const message = 'The registry does not accept our token for this: check tokenFile and its role'
    expect([exitCode, document]).toMatchObject([
      5,
      { steps: [], failures: [{ key: 'blog', code: 'registry_denied', message }] },
    ])
    expect(statesIn(other)).toEqual(['first-key@1 active'])
    expect(fake.kids('fullApp')).toEqual(before)
  })

  test('a full app waits for its fourth key, and names who takes its slots', async () => {
    putToken(fake.token)
    const { exitCode, stdout } = await other.run(['rotate', 'blog'])
    expect(exitCode).toBe(0)
    for (const taken of fake.kids('fullApp')) expect(stdout).toContain(taken)
    expect(statesIn(other)).toEqual(['first-key@1 active'])
  })

  test('where a slot is free the key is made, told and signs', async () => {
    const [unused = '', ...others] = fake.kids('fullApp')
    fake.removeKey('fullApp', unused)
    expect((await other.run(['rotate', 'blog'])).exitCode).toBe(0)
    expect(statesIn(other)).toEqual(['blog@1 active', 'first-key@1 active'])
    expect(fake.kids('fullApp')).toEqual([...others, expect.stringMatching(/^[\w-]{43}$/)])
  })
})

test('a management token that is revoked is said to be, and signing goes on', async () => {
  fake.revokeToken()
  const { exitCode, stdout } = await app.home.run(['sync'])
  expect([exitCode, stdout]).toEqual([
    5,
    'blog: The registry does not accept our token for this: check tokenFile and its role\n',
  ])
  rmSync(app.home.at('cma-token'))
  expect((await app.client.sign('blog', { claims: {} })).version).toBe(1)
})
