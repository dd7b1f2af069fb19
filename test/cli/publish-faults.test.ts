import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { leaks } from '../support/canaries.ts'
import { errorOf, type Fault, faultyRegistry, type OnFinished } from '../support/faulty-registry.ts'
import { type Home, homesOfThisFile, statesIn } from '../support/home.ts'
import { publishing, type Publishing } from '../support/publishing.ts'
import { registryHomesOfThisFile } from '../support/registry-home.ts'
import { orphanRsa, rfcJwk } from '../support/registry-keys.ts'
import { keysPath } from '../support/registry.ts'

/** What a job says, and how it ends, when a registry or its token is not as it should be. */

const homes = homesOfThisFile()
const registryHome = registryHomesOfThisFile()

const begun = () => publishing(homes.copy(), registryHome(), [{ name: 'blog' }])

/** The same configuration, but that the registry is one that errs. */
async function erring(fault: Fault, onFinished: OnFinished): Promise<Publishing> {
  const asked = await begun()
  await asked.registry.stop()
  const { url } = await faultyRegistry(fault, [], onFinished)
  asked.home.edit((text) => text.replace(asked.registry.url, url))
  return asked
}

const sealedFiles = ({ at }: Home) => readdirSync(at('vault')).length - 1 // first-key's

const failure = (code: string, message: string) => ({
  verdict: 'done',
  waits: [],
  tasks: [],
  failures: [{ key: 'blog', code, message }],
})

describe('rotate', () => {
  test.concurrent('with a registry that is down makes no key: exit 5; and all is well once it is back', async () => {
    const asked = await begun()
    const { home, registry } = asked
    home.edit((text) => text.replace(registry.url, 'http://127.0.0.1:1'))
    expect(await home.json(['rotate'])).toMatchObject({
      exitCode: 5,
      document: { ...failure('registry_unavailable', 'The registry cannot be reached'), steps: [] },
    })
    expect(sealedFiles(home)).toBe(0)
    expect((await home.run(['rotate', '--dry-run'])).exitCode).toBe(5)
    home.edit((text) => text.replace('http://127.0.0.1:1', registry.url))
    expect((await home.run(['rotate'])).exitCode).toBe(0)
    expect(await asked.jwksKids('blog')).toHaveLength(1)
  })

  test.concurrent('with a registry that takes no key: what was made is recorded, exit 4, and never signs', async ({
    onTestFinished,
  }) => {
    const { home } = await erring(
      ({ method }) => (method === 'POST' ? { status: 502, body: '<html>' } : undefined),
      onTestFinished,
    )
    expect(await home.json(['rotate'])).toMatchObject({
      exitCode: 4,
      document: {
        ...failure('registry_unavailable', 'The registry answered 502'),
        steps: [{ version: 'blog@1', step: 'generated' }],
      },
    })
    expect(statesIn(home)).toContain('blog@1 created')
    // Nothing is recorded by the next one: the registry is all that it is about.
    expect(await home.json(['rotate'])).toMatchObject({ exitCode: 5, document: { steps: [] } })
    expect(sealedFiles(home)).toBe(1)
  })

  test.concurrent('with a registry that hangs ends in its time: exit 4', async ({
    onTestFinished,
  }) => {
    const { home } = await erring(
      ({ method }) => (method === 'POST' ? 'hang' : undefined),
      onTestFinished,
    )
    expect(await home.json(['rotate'])).toMatchObject({
      exitCode: 4,
      document: failure('registry_unavailable', 'The registry did not answer in time'),
    })
    expect(statesIn(home)).toContain('blog@1 created')
  })

  test.concurrent('with a registry that accepts and forgets never signs: exit 4', async ({
    onTestFinished,
  }) => {
    const { home } = await erring(
      ({ method }) => (method === 'POST' ? { status: 201, body: {} } : undefined),
      onTestFinished,
    )
    expect(await home.json(['rotate'])).toMatchObject({
      exitCode: 4,
      document: failure(
        'registry_unavailable',
        'The registry accepted the key and does not list it',
      ),
    })
    expect(statesIn(home)).toContain('blog@1 created')
  })

  test.concurrent('of a key pair that another app has is refused for ever: exit 3', async ({
    onTestFinished,
  }) => {
    const { home } = await erring(
      ({ method }) => (method === 'POST' ? errorOf(400, 'BadRequest') : undefined),
      onTestFinished,
    )
    const { exitCode, document } = await home.json(['rotate'])
    expect(exitCode).toBe(3)
    expect(document).toMatchObject(
      failure(
        'registry_refused',
        'The registry has this key pair for another app: delete it there, or revoke this version and rotate again',
      ),
    )
    // The remedy: a version that never signed is replaced without being named.
    await home.run(['revoke', 'blog@1', '--reason', 'its key pair is in use'])
    expect(await home.json(['rotate'])).toMatchObject({ exitCode: 3 })
    expect(statesIn(home)).toEqual(expect.arrayContaining(['blog@1 revoked', 'blog@2 created']))
  })

  test.concurrent('while unknown keys have every slot waits, names them, and makes no key: exit 0', async () => {
    const asked = await begun()
    const { home, registry, token } = asked
    const jwks = [0, 1, 2].map(() => rfcJwk('RS256', orphanRsa()))
    for (const jwk of jwks) {
      await fetch(`${registry.url}${keysPath()}`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ jwk }),
      })
    }
    const unknownKids = expect.arrayContaining(jwks.map(({ kid }) => kid))
    const wait = { kind: 'slots', slots: 3, unknownKids, versions: [] }
    expect(await home.json(['rotate'])).toEqual({
      exitCode: 0,
      document: {
        verdict: 'done',
        steps: [],
        waits: [{ key: 'blog', wait }],
        tasks: [],
        failures: [],
        orphans: [],
        revoked: [],
        ignored: [],
        cutOff: [],
      },
      stderr: '',
    })
    expect((await home.run(['rotate', '--dry-run'])).stdout).toMatch(
      /^blog: waits: all 3 slots at the registry are taken, by keys that we do not know: (?:\S{43}, ){2}\S{43}\. Delete there what nobody uses\n$/,
    )
    expect(sealedFiles(home)).toBe(0)
    expect(await asked.jwksKids('blog')).toHaveLength(3)
  })
})

describe('a token file', () => {
  test.concurrent.each<[string, (file: string) => void, string]>([
    ['that is missing', (file) => rmSync(file), 'does not exist: look for'],
    ['that others may read', (file) => chmodSync(file, 0o644), 'is open to other users: chmod 600'],
    [
      'with nothing in it',
      (file) => writeFileSync(file, '\n'),
      'is not a token: put the token alone in it',
    ],
    [
      'of two lines',
      (file) => writeFileSync(file, 'token-canary\ntoken-canary'),
      'is not a token: put the token alone in it',
    ],
    [
      'with what no header may hold',
      (file) => writeFileSync(file, 'token-canary\u0000\u{fffd}'),
      'is not a token: put the token alone in it',
    ],
    [
      'that is too large',
      (file) => writeFileSync(file, 'x'.repeat(4_097)),
      'is larger than 4096 bytes',
    ],
  ])('%s is a fault of the configuration: exit 2, and no key is made', async (_, damage, words) => {
    const { home, tokenFile } = await begun()
    damage(tokenFile)
    const { exitCode, document, stderr } = await home.json(['rotate'])
    expect(exitCode).toBe(2)
    expect(document).toMatchObject({
      failures: [{ key: 'blog', code: 'config_invalid', message: expect.stringContaining(words) }],
    })
    expect(JSON.stringify(document) + stderr).not.toContain('token-canary')
    expect(sealedFiles(home)).toBe(0)
  })

  test.concurrent('is read when it is needed: a new token counts at once, an old one is denied', async () => {
    const { home, tokenFile, token } = await begun()
    writeFileSync(tokenFile, 'chr_AAAAAAAAAA_nobody')
    const message = 'The registry does not accept our token for this: check tokenFile and its role'
    expect(await home.json(['rotate'])).toMatchObject({
      exitCode: 5,
      document: failure('registry_denied', message),
    })
    writeFileSync(tokenFile, `\n${token}\r\n`)
    expect(await home.run(['rotate'])).toMatchObject({ exitCode: 0 })
  })
})

test('serve signs without its registries, and without what they would be asked with', async () => {
  const { home, registry, tokenFile } = await begun()
  await home.run(['rotate'])
  await registry.stop()
  rmSync(tokenFile)
  await using serving = await home.serve()
  const answer = await serving.ask('blog', { claims: { sub: 'hello' } })
  expect([answer.status, answer.body.version]).toEqual([200, 1])
  const { stdout, stderr } = await serving.stop()
  expect(stdout + stderr).not.toMatch(/registry/i)
})

test('the token is in no output, no log and no file but its own', async () => {
  const { home, registry, token, tokenFile } = await begun()
  const said = [
    await home.run(['rotate', '--dry-run']),
    await home.run(['rotate']),
    await home.run(['sync']),
    await home.run(['--json', 'keys', 'show', 'blog']),
    await registry.stop(),
    await home.run(['sync']),
    await home.run(['config', 'check']),
  ]
  await using serving = await home.serve()
  said.push(await serving.stop())
  const canary = { name: 'token', secret: Buffer.from(token) }
  const haystacks = said.map((ran, i) => ({
    name: `${i}`,
    content: Buffer.from(JSON.stringify(ran)),
  }))
  expect(leaks(haystacks, [canary])).toEqual([])
  const entries = readdirSync(home.directory, { withFileTypes: true, recursive: true })
  const others = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => path !== tokenFile)
    .map((path) => ({ name: path, content: readFileSync(path) }))
  expect(leaks(others, [canary])).toEqual([])
  expect(others.length).toBeGreaterThan(5)
})
