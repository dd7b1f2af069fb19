import { mkdirSync, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { once } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import { chancery } from '../support/chancery.ts'
import { homesOfThisFile } from '../support/home.ts'

const homes = homesOfThisFile()

describe('an environment that would have it sign elsewhere, trust anybody or tell secrets', () => {
  test.concurrent.each([
    ['NODE_OPTIONS', '--trace-warnings'],
    ['NODE_TLS_REJECT_UNAUTHORIZED', '0'],
    ['NODE_TLS_REJECT_UNAUTHORIZED', '1'],
    ['SSLKEYLOGFILE', '/tmp/never'],
    ['NODE_USE_ENV_PROXY', '1'],
  ])('%s=%s is refused by name, before anything is read: exit 2', async (name, value) => {
    for (const command of [['serve'], ['--version'], ['callers', 'new-key', 'a']]) {
      const { exitCode, stdout, stderr } = await chancery(command, { env: { [name]: value } })
      expect([exitCode, stdout]).toEqual([2, ''])
      expect(stderr).toBe(`chancery does not run with ${name} in its environment: unset it\n`)
    }
  })

  test.concurrent('empty is as good as unset', async () => {
    const env = { NODE_OPTIONS: '', NODE_TLS_REJECT_UNAUTHORIZED: '', SSLKEYLOGFILE: '' }
    expect((await chancery(['callers', 'new-key', 'a'], { env })).exitCode).toBe(0)
  })
})

test('a compile cache that the environment names has no part in what runs', async () => {
  const home = homes.copy()
  const cache = join(home.directory, 'cache')
  mkdirSync(cache)
  const env = { NODE_COMPILE_CACHE: cache }
  await using serving = await home.serve({ env })
  expect((await serving.ask('first-key', { claims: { sub: 'a' } })).status).toBe(200)
  expect((await serving.stop()).exitCode).toBe(0)
  // The first process has read main.ts by then, and nothing else; it is started anew without it.
  const entries = readdirSync(cache, { recursive: true, withFileTypes: true })
  expect(entries.filter((entry) => entry.isFile()).length).toBeLessThan(3)
})

test('a proxy that the environment names hears of nothing', async () => {
  const heard: string[] = []
  const proxy = createServer((socket) => {
    heard.push('a connection')
    socket.destroy()
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void proxy.close())
  await once(proxy, 'listening')
  const address = proxy.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const home = homes.copy()
  // An issuer that nobody answers for: its keys are asked for, and not by way of the proxy.
  const oidc = 'oidc: { issuer: http://127.0.0.1:9, audience: a, match: { sub: a } }'
  home.edit((text) => text.replace('first-caller: {', `first-caller: { ${oidc},`))
  const env = {
    HTTPS_PROXY: url,
    HTTP_PROXY: url,
    ALL_PROXY: url,
    https_proxy: url,
    http_proxy: url,
  }
  await using serving = await home.serve({ env })
  const segment = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = `${segment({ alg: 'RS256' })}.${segment({ iss: 'http://127.0.0.1:9' })}.AAAA`
  const answer = await serving.ask('first-key', { claims: { sub: 'a' } }, { apiKey: token })
  expect([answer.status, answer.body.code]).toEqual([503, 'issuer_unavailable'])
  expect(heard).toEqual([])
})
