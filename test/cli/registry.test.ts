import { once } from 'node:events'
import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { chancery } from '../support/chancery.ts'
import { leaks } from '../support/canaries.ts'
import { selfSigned } from '../support/certificate.ts'
import { memoryKeyPair } from '../support/memory-key.ts'
import { rfcJwk } from '../support/registry-keys.ts'
import { registryHomesOfThisFile, type RegistryHome } from '../support/registry-home.ts'
import { jwksPath, keysPath } from '../support/registry.ts'
import { eventually } from '../support/serving.ts'
import { slowRequest } from '../support/slow-request.ts'

const registryHome = registryHomesOfThisFile()

async function send(url: string, token: string, body?: object) {
  const response = await fetch(url, {
    method: body ? 'POST' : 'GET',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: response.status, text: await response.text() }
}

/** An app `blog` of acme, a token of each role, and the registry that serves them. */
async function begun(home: RegistryHome = registryHome()) {
  await home.word('app', 'create', 'acme', 'blog')
  const admin = await home.word('token', 'create', 'acme', '--role', 'admin')
  const reader = await home.word('token', 'create', 'acme', '--role', 'reader')
  return { home, admin, reader, serving: await home.serve() }
}

describe('registry app and token', () => {
  test.concurrent('print an id or a token as the last word; with --json what CONTRACT §3 says', async () => {
    const home = registryHome()
    expect(await home.json('app', 'create', 'acme', 'blog')).toEqual({
      exitCode: 0,
      document: { organization: 'acme', app: 'blog' },
    })
    expect(await home.word('app', 'create', 'other', 'blog')).toBe('blog-2')
    const { document } = await home.json('token', 'create', 'acme', '--role', 'reader')
    const made = z.strictObject({ organization: z.string(), role: z.string(), token: z.string() })
    const { token, ...facts } = made.parse(document)
    expect(facts).toEqual({ organization: 'acme', role: 'reader' })
    expect(token).toMatch(/^chr_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}$/)
    const admin = await home.word('token', 'create', 'acme', '--role', 'admin')
    expect(admin).toMatch(/^chr_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}$/)
  })

  test.concurrent('list everything, or one organization, and revoke a token by its public id', async () => {
    const home = registryHome()
    await home.run('app', 'create', 'acme', 'blog')
    await home.run('app', 'create', 'other', 'shop')
    const id = (await home.word('token', 'create', 'acme', '--role', 'admin')).split('_')[1] ?? ''
    const at: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/)
    const blog = { organization: 'acme', app: 'blog', keys: 0, createdAt: at }
    const shop = { organization: 'other', app: 'shop', keys: 0, createdAt: at }
    expect((await home.json('app', 'list')).document).toEqual({ apps: [blog, shop] })
    expect((await home.json('app', 'list', 'other')).document).toEqual({ apps: [shop] })
    expect(await home.word('app', 'list', 'acme')).toBe('blog')

    const token = { organization: 'acme', role: 'admin', id, createdAt: at }
    const list = async () => (await home.json('token', 'list')).document
    expect(await list()).toEqual({ tokens: [{ ...token, revokedAt: null }] })
    expect(await home.word('token', 'revoke', id)).toBe(id)
    expect(await list()).toEqual({ tokens: [{ ...token, revokedAt: at }] })
    expect(await home.word('token', 'list', 'acme')).toBe(id)
    expect((await home.run('token', 'list', 'other')).stdout).toBe('no tokens\n')
  })

  test.concurrent.each<[string, readonly string[], number, string]>([
    ['no role', ['token', 'create', 'acme'], 2, `required option '--role <role>' not specified`],
    ['another role', ['token', 'create', 'acme', '--role', 'root'], 2, 'Allowed choices are admin'],
    ['a name with a slash', ['app', 'create', 'acme', 'a/b'], 2, 'An app is named with A-Z'],
    ['a database that is not there', ['app', 'list'], 5, 'There is no registry at'],
    ['a token in one that is not there', ['token', 'revoke', 'x'], 5, 'correct sqlite, or begin'],
    ['too much', ['app', 'create', 'acme', 'blog', 'more'], 2, 'too many arguments'],
    ['nothing', [], 2, 'registry'],
  ])('refuse %s, and say what to do', async (_, args, exitCode, said) => {
    const ran = await registryHome().run(...args)
    expect(ran).toMatchObject({ exitCode, stdout: '' })
    expect(ran.stderr).toContain(said)
  })

  test.concurrent('refuse an app that is there and a token that is not: exit 3', async () => {
    const home = registryHome()
    await home.run('app', 'create', 'acme', 'blog')
    expect(await home.run('app', 'create', 'acme', 'blog')).toMatchObject({
      exitCode: 3,
      stderr: 'chancery: acme has an app blog: see `chancery registry app list`\n',
    })
    expect(await home.run('token', 'revoke', 'nobody')).toMatchObject({
      exitCode: 3,
      stderr: 'chancery: There is no token nobody: see `chancery registry token list`\n',
    })
  })

  test.concurrent('may begin the database all at once: none is lost', async () => {
    const home = registryHome()
    const names = Array.from({ length: 6 }, (_, i) => `app-${i}`)
    const made = await Promise.all(names.map((name) => home.word('app', 'create', 'acme', name)))
    expect(made).toEqual(names)
    expect((await home.run('app', 'list')).stdout.trimEnd().split('\n')).toHaveLength(names.length)
  })

  test.concurrent('make what only their owner may read', async () => {
    const home = registryHome()
    await home.run('app', 'create', 'acme', 'blog')
    const modeOf = (name: string) => statSync(join(home.directory, name)).mode & 0o777
    expect([modeOf('var'), modeOf('var/registry.db')]).toEqual([0o700, 0o600])
  })
})

describe('registry serve', () => {
  test.concurrent('prints one line, answers, and ends in order when it is told to', async () => {
    const { admin, serving } = await begun()
    expect((await fetch(`${serving.url}/healthz`)).status).toBe(200)
    expect((await send(`${serving.url}${keysPath()}`, admin)).status).toBe(200)
    const ended = await serving.stop()
    expect(ended).toMatchObject({ exitCode: 0, stdout: `{"url":"${serving.url}"}\n` })
    await expect(fetch(`${serving.url}/healthz`)).rejects.toThrow('fetch failed')
  })

  test.concurrent('told to end, it takes nothing more and finishes what it began', async () => {
    const { home, admin, reader, serving } = await begun()
    const jwk = rfcJwk('EdDSA')
    const slow = await slowRequest(serving.url, keysPath(), admin, { jwk })
    const ended = serving.stop()
    await eventually(() =>
      fetch(serving.url).then(
        () => false,
        () => true,
      ),
    )
    expect(await slow.finish()).toMatch(/^HTTP\/1\.1 201 Created\r\n/)
    expect((await ended).exitCode).toBe(0)
    const { url } = await home.serve()
    expect((await send(`${url}${keysPath()}/${jwk.kid}`, reader)).status).toBe(200)
  })

  test.concurrent('a restart, or a kill, keeps apps, keys and tokens', async () => {
    const { home, admin, reader, serving } = await begun()
    const jwk = rfcJwk('ES256')
    expect((await send(`${serving.url}${keysPath()}`, admin, { jwk })).status).toBe(201)
    const seen = async (url: string) => [
      await send(`${url}${keysPath()}`, reader),
      await send(`${url}${jwksPath()}`, ''),
    ]
    const before = await seen(serving.url)
    await serving.stop('SIGKILL')
    const again = await home.serve()
    expect(await seen(again.url)).toEqual(before)
    await again.stop()
    expect(await seen((await home.serve()).url)).toEqual(before)
  })

  test.concurrent('a token that a command revokes is refused by a server that is running', async () => {
    const { home, reader, serving } = await begun()
    const url = `${serving.url}${keysPath()}`
    expect((await send(url, reader)).status).toBe(200)
    await home.run('token', 'revoke', reader.split('_')[1] ?? '')
    expect((await send(url, reader)).status).toBe(401)
    const fresh = await home.word('token', 'create', 'acme', '--role', 'reader')
    expect((await send(url, fresh)).status).toBe(200)
  })

  test.concurrent('a second one on the same database says so and ends: exit 5', async () => {
    const home = registryHome()
    const { url } = await home.serve()
    const second = await home.run('serve')
    expect(second).toMatchObject({ exitCode: 5, stdout: '' })
    expect(second.stderr).toMatch(
      /^chancery: Another `registry serve` serves \S+: stop it, or configure another sqlite\n$/,
    )
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  test.concurrent('an address that is in use ends it: exit 2, and the database is free again', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const home = registryHome(`{ listen: 127.0.0.1:${port}, sqlite: ./registry.db }`)
    const ended = await home.run('serve')
    other.close()
    expect(ended).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ended.stderr).toContain(`Cannot listen on 127.0.0.1:${port}: it is in use`)
    expect(await (await home.serve()).stop()).toMatchObject({ exitCode: 0 })
  })

  test.concurrent('a bad configuration is exit 2, with every complaint', async () => {
    const ended = await registryHome('{ listen: here, maxKeys: many }').run('serve')
    expect(ended.exitCode).toBe(2)
    const paths = ended.stderr.match(/^ {2}\w+/gm)
    expect(paths).toEqual(['  listen', '  sqlite', '  maxKeys'])
  })

  test.concurrent('without --config it is ./registry.yaml, whatever CHANCERY_CONFIG says', async () => {
    const { directory } = registryHome()
    const env = { CHANCERY_CONFIG: '/nowhere/chancery.yaml' }
    const ran = await chancery(['registry', 'app', 'create', 'acme', 'blog'], {
      cwd: directory,
      env,
    })
    expect(ran).toMatchObject({ exitCode: 0 })
  })

  test.concurrent('with a certificate it speaks TLS; its key must be nobody else’s', async () => {
    const config = `{ listen: 127.0.0.1:0, sqlite: ./r.db, tls: { certificateFile: c.pem, keyFile: k.pem } }`
    const home = registryHome(config)
    const { certificate, key } = selfSigned()
    writeFileSync(join(home.directory, 'c.pem'), certificate)
    writeFileSync(join(home.directory, 'k.pem'), key, { mode: 0o644 })
    const shared = await home.run('serve')
    expect(shared.exitCode).toBe(2)
    expect(shared.stderr).toContain('is open to other users: chmod 600')
    chmodSync(join(home.directory, 'k.pem'), 0o600)
    expect((await home.serve()).url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
  })
})

test('no token and no private member is in any file, log line or answer', async () => {
  const { home, admin, reader, serving } = await begun()
  const url = `${serving.url}${keysPath()}`
  const { d = '', ...jwk } = memoryKeyPair('ES256').secret.export({ format: 'jwk' })
  const answers = [
    await send(url, admin, { jwk: rfcJwk('ES256') }),
    await send(url, admin, { jwk: { ...rfcJwk('ES256'), ...jwk, d } }),
    await send(url, reader, { jwk: rfcJwk('EdDSA') }),
    await send(url, `${admin.slice(0, -1)}~`),
    await send(`${serving.url}/organizations/${admin}/app_definitions/${d}/keys`, admin),
    await send(url, reader),
  ]
  expect(answers.map(({ status }) => status)).toEqual([201, 422, 403, 401, 404, 200])
  const listed = await home.run('token', 'list')
  const { stdout, stderr } = await serving.stop()
  expect(stderr.split('\n').length).toBeGreaterThan(6)

  const said = { stdout, log: stderr, answers: JSON.stringify(answers), list: listed.stdout }
  const haystacks = [
    ...home.files(),
    ...Object.entries(said).map(([name, text]) => ({ name, content: Buffer.from(text) })),
  ]
  const canaries = [
    { name: 'admin', secret: Buffer.from(admin) },
    { name: 'reader', secret: Buffer.from(reader) },
    { name: 'its secret part', secret: Buffer.from(admin.split('_')[2] ?? '') },
    { name: 'd', secret: Buffer.from(d, 'base64url') },
  ]
  expect(leaks(haystacks, canaries)).toEqual([])
  expect(leaks([{ name: 'itself', content: Buffer.from(d) }], canaries)).not.toEqual([])
  expect(haystacks.map(({ name }) => name)).toContain('registry.db')
})
