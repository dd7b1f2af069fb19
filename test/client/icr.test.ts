import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { icrAccessToken } from '../../src/client/index.ts'
import { application, type Application } from '../support/application.ts'
import { fakeIcr, type FakeRegistry, tokens } from '../support/fake-registry-tokens.ts'
import { homesOfThisFile } from '../support/home.ts'

/** ICR's documentation as a server that verifies, and `serve`. */

const issuer = '67890'
const homes = homesOfThisFile()
let app: Application
let publicKey: KeyObject
beforeAll(async () => {
  const profile = `profile: { name: icr-app, issuer: "${issuer}" }`
  app = await application(homes.copy(), [
    {
      key: `carbon: { vault: local, alg: RS256, modulusBits: 2048, ${profile} }`,
      grant: 'operations: [sign-claims]',
    },
  ])
  publicKey = await app.publicKey('carbon')
})
afterAll(() => app.serving[Symbol.asyncDispose]())

async function icr(part: { readonly publicKey?: KeyObject } = {}): Promise<FakeRegistry> {
  const { jwt } = await app.client.sign('carbon', { claims: {} })
  const nowMs = ((decodeJwt(jwt).iat ?? 0) + 60) * 1_000
  const server = await fakeIcr({ publicKey, issuer, now: () => nowMs, ...part })
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

test('an application gets a token of the app, or of an installation, and keeps it', async () => {
  const { url: host, requests, jwts } = await icr()
  const ofApp = icrAccessToken(app.client, 'carbon', { host })
  const installationId = '123e4567-e89b-12d3-a456-426614174000'
  const ofInstallation = icrAccessToken(app.client, 'carbon', { host, installationId })
  expect(await Promise.all([ofApp(), ofApp()])).toEqual([tokens.app, tokens.app])
  expect([await ofInstallation(), await ofApp()]).toEqual([tokens.installation, tokens.app])
  expect(requests).toEqual([
    '/app/accessTokens',
    `/app/installations/${installationId}/accessTokens`,
  ])
  expect(jwts).toHaveLength(2)
})

test('a registry that knows another key refuses, and is not quoted', async () => {
  const { url: host } = await icr(generateKeyPairSync('rsa', { modulusLength: 2048 }))
  const asked = icrAccessToken(app.client, 'carbon', { host })()
  await expect(asked).rejects.toMatchObject({
    code: 'token_refused',
    status: 401,
    message: 'token_refused: The registry answered 401 to our JWT',
  })
})

test('without a grant nobody asks the registry', async () => {
  const { url: host, requests } = await icr()
  const asked = icrAccessToken(app.client, 'other', { host })()
  await expect(asked).rejects.toMatchObject({ code: 'key_not_found', status: 404 })
  expect(requests).toEqual([])
})

test.each(['http://api.carbonregistry.com', 'a b', 'user:pass@host.example'])(
  'a JWT is not sent to %s',
  (host) => {
    expect(() => icrAccessToken(app.client, 'carbon', { host })).toThrow(
      expect.objectContaining({ code: 'bad_option' }),
    )
  },
)
