import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createAppAuth } from '@octokit/auth-app'
import { request } from '@octokit/request'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { githubCreateJwt } from '../../src/client/index.ts'
import { application, type Application } from '../support/application.ts'
import { fakeGithub, type FakeRegistry, tokens } from '../support/fake-registry-tokens.ts'
import { homesOfThisFile } from '../support/home.ts'

/** `@octokit/auth-app` as it comes, a GitHub that verifies, and `serve` between them. */

const issuer = 'Iv23liExample'
const homes = homesOfThisFile()
let app: Application
let publicKey: KeyObject
beforeAll(async () => {
  const profile = `profile: { name: github-app, issuer: ${issuer} }`
  app = await application(homes.copy(), [
    {
      key: `github-bot: { vault: local, alg: RS256, modulusBits: 2048, ${profile} }`,
      grant: 'operations: [sign-claims]',
    },
  ])
  publicKey = await app.publicKey('github-bot')
})
afterAll(() => app.serving[Symbol.asyncDispose]())

/** The service's now, which is 60 s after what it writes as `iat`. */
async function serviceNow(): Promise<number> {
  const { jwt } = await app.client.sign('github-bot', { claims: {} })
  return ((decodeJwt(jwt).iat ?? 0) + 60) * 1_000
}

/** A GitHub whose clock stands, so far ahead of the service's; and what an application has of it. */
async function github(aheadSeconds: number) {
  const now = (await serviceNow()) + aheadSeconds * 1_000
  const server = await fakeGithub({ publicKey, issuer, now: () => now })
  onTestFinished(() => server[Symbol.asyncDispose]())
  const warnings: string[] = []
  const auth = createAppAuth({
    appId: issuer,
    createJwt: githubCreateJwt(app.client, 'github-bot'),
    request: request.defaults({ baseUrl: server.url }),
    log: { warn: (message) => warnings.push(message) },
  })
  return { server, auth, warnings, hooked: hookedBy(server, auth) }
}

function hookedBy(server: FakeRegistry, auth: ReturnType<typeof createAppAuth>) {
  // oxlint-disable-next-line typescript/unbound-method -- a function that has its state bound
  const { hook } = auth
  return request.defaults({ baseUrl: server.url, request: { hook } })
}

describe('an application of a GitHub App that holds no key', () => {
  test('asks as the app', async () => {
    const { server, hooked } = await github(0)
    expect(await hooked('GET /app')).toMatchObject({ status: 200, data: { slug: 'acme-bot' } })
    expect(server.jwts).toHaveLength(1)
  })

  test('gets an installation’s token, and works with it', async () => {
    const { server, auth } = await github(0)
    const installation = await auth({ type: 'installation', installationId: 42 })
    expect(installation).toMatchObject({ token: tokens.installation, installationId: 42 })
    const hooked = request.defaults({
      baseUrl: server.url,
      headers: { authorization: `token ${installation.token}` },
    })
    const { data } = await hooked('GET /installation/repositories')
    expect(data.repositories.map(({ name }) => name)).toEqual(['blog'])
  })

  test('is told when its JWT ends, and gets the same one until then', async () => {
    const { auth } = await github(0)
    const first = await auth({ type: 'app' })
    const { exp = 0, iss } = decodeJwt(first.token)
    expect([iss, first.appId]).toEqual([issuer, issuer])
    expect(Date.parse(first.expiresAt)).toBe(exp * 1_000)
    expect(await auth({ type: 'app' })).toEqual(first)
  })
})

describe('a GitHub whose clock is', () => {
  test('ten minutes ahead gets a JWT by its own clock', async () => {
    const { hooked, warnings } = await github(600)
    expect(await hooked('GET /app')).toMatchObject({ status: 200 })
    expect(warnings.join()).toContain('time are different by')
  })

  test('an hour ahead gets none: the service goes so far and no further', async () => {
    const { hooked, server } = await github(3_600)
    await expect(hooked('GET /app')).rejects.toMatchObject({ status: 401 })
    expect([server.requests.length, server.jwts]).toEqual([2, []])
  })

  test('a minute behind needs no second try: the service dates its JWTs back', async () => {
    const { hooked, warnings } = await github(-59)
    expect(await hooked('GET /app')).toMatchObject({ status: 200 })
    expect(warnings).toEqual([])
  })
})

test('a JWT of another app’s key is not taken', async () => {
  const { publicKey: other } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const server = await fakeGithub({ publicKey: other, issuer, now: () => 0 })
  onTestFinished(() => server[Symbol.asyncDispose]())
  const createJwt = githubCreateJwt(app.client, 'github-bot')
  const auth = createAppAuth({ appId: issuer, createJwt })
  await expect(hookedBy(server, auth)('GET /app')).rejects.toMatchObject({ status: 401 })
  expect(server.jwts).toEqual([])
})
