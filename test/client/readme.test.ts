import { execFile } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { listen } from '../../src/listener/server.ts'
import { application, type Application } from '../support/application.ts'
import { fakeContentful } from '../support/fake-contentful.ts'
import { fakeGithub, fakeIcr } from '../support/fake-registry-tokens.ts'
import { homesOfThisFile } from '../support/home.ts'
import { packClient, type PackedClient } from '../support/packed-client.ts'
import { signListener } from '../support/sign-listener.ts'
import { face, faceGrant, secrets, versions } from '../support/token-keys.ts'

/** The applications of the README, each as it stands there, in a process of its own. */

const root = resolve(import.meta.dirname, '../..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const snippets = [...readme.matchAll(/^```js\n([^]*?)^```$/gm)].map(([, text = '']) => text)

const homes = homesOfThisFile()
let packed: PackedClient
let app: Application
beforeAll(async () => {
  packed = packClient()
  for (const name of [
    '@octokit',
    'universal-user-agent',
    'universal-github-app-jwt',
    'toad-cache',
  ]) {
    symlinkSync(join(root, 'node_modules', name), join(packed.directory, 'node_modules', name))
  }
  const grant = 'operations: [sign-claims, read-fingerprint]'
  const rsa = (name: string, profile: string, issuer: string) =>
    `${name}: { vault: local, alg: RS256, modulusBits: 2048, profile: { name: ${profile}, issuer: ${issuer} } }`
  app = await application(homes.copy(), [
    { key: rsa('github-bot', 'github-app', 'Iv23liExample'), grant },
    { key: rsa('carbon', 'icr-app', '"67890"'), grant },
    { key: rsa('blog', 'generic-jwt', 'blogApp'), grant: `${grant}, maxLifetime: 10m` },
  ])
})
afterAll(async () => {
  packed.remove()
  await app.serving[Symbol.asyncDispose]()
})

/** Names of the world outside, and who stands for them here. */
type Stage = Readonly<Record<string, string>>

const reroute = `
const stage = JSON.parse(process.argv[2])
const { fetch } = globalThis
globalThis.fetch = (url, init) => {
  const from = Object.keys(stage).find((name) => String(url).startsWith(name + '/'))
  if (from === undefined) throw new Error('nobody plays ' + url)
  return fetch(stage[from] + String(url).slice(from.length), init)
}
`

async function perform(adapter: string, stage: Stage, apiKey: string): Promise<string> {
  const found = snippets.filter((text) => text.includes(`${adapter}(chancery`))
  expect(found).toHaveLength(1)
  const [text = ''] = found
  expect(text.trim().split('\n').length).toBeLessThanOrEqual(12)
  const write = (name: string, content: string) =>
    writeFileSync(join(packed.directory, name), content)
  write('reroute.js', reroute)
  write('application.js', text)
  write('chancery.token', `${apiKey}\n`)
  const args = ['--import', './reroute.js', 'application.js', JSON.stringify(stage)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: packed.directory })
  return stdout
}

const now = () => systemClock.now()

test('the application of a GitHub App lists repositories', async () => {
  const publicKey = await app.publicKey('github-bot')
  const github = await fakeGithub({ publicKey, issuer: 'Iv23liExample', now })
  onTestFinished(() => github[Symbol.asyncDispose]())
  const stage = {
    'https://chancery.example': app.serving.signUrl,
    'https://api.github.com': github.url,
  }
  expect(await perform('githubCreateJwt', stage, app.home.apiKey)).toBe('blog\n')
})

test('the application of a Contentful app reads an entry', async () => {
  const contentful = await fakeContentful(['blogApp'])
  const publicKey = await app.publicKey('blog')
  const { kid } = await app.client.fingerprint('blog')
  contentful.addKey('blogApp', publicKey.export({ type: 'spki', format: 'der' }), kid)
  const stage = {
    'https://chancery.example': app.serving.signUrl,
    'https://api.contentful.com': contentful.url,
  }
  expect(await perform('contentfulAppToken', stage, app.home.apiKey)).toBe('first\n')
})

test('the application of an ICR app reads projects', async () => {
  const icr = await fakeIcr({ publicKey: await app.publicKey('carbon'), issuer: '67890', now })
  onTestFinished(() => icr[Symbol.asyncDispose]())
  const stage = {
    'https://chancery.example': app.serving.signUrl,
    'https://api.carbonregistry.com': icr.url,
  }
  expect(await perform('icrAccessToken', stage, app.home.apiKey)).toBe('200\n')
})

test('the application of an API key has its tokens signed by the version that they name', async () => {
  const { app: listener, bearerOf } = await signListener({ held: versions, grants: [faceGrant] })
  const refuse = () => ({ status: 400, headers: {}, body: '' })
  const server = await listen(listener, { host: '127.0.0.1', port: 0 }, { refuse })
  onTestFinished(() => server.close(0))
  const stage = { 'https://chancery.example': server.url }
  const apiKey = bearerOf(faceGrant.caller).replace('Bearer ', '')
  const jwt = (await perform('tokenSigner', stage, apiKey)).trim()
  const [header, payload, signature] = jwt.split('.')
  const [, secret = ''] = secrets
  const mac = createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url')
  expect([face.name, signature]).toEqual(['face-sdk', mac])
})
