import { chmodSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { freePort } from '../support/free-port.ts'
import { homesOfThisFile, withKey } from '../support/home.ts'
import { publishing, type Publishing } from '../support/publishing.ts'
import { registryHomesOfThisFile } from '../support/registry-home.ts'
import { rfcJwk } from '../support/registry-keys.ts'
import { keysPath } from '../support/registry.ts'

/** What `sync` and `keys show` say of registries that have something else than they were told. */

const homes = homesOfThisFile()
const registryHome = registryHomesOfThisFile()

const manual =
  'bot: { vault: local, alg: RS256, profile: { name: github-app, issuer: a }, source: imported, registry: { type: manual, system: github, url: https://github.com/x } }'
const alone = 'alone: { vault: local, alg: EdDSA, purpose: bytes }'

const none = { verdict: 'known', missing: [], ended: [], differing: [], unknownKids: [], used: [] }

/** A key that its registry knows, one that a human registers, one that nobody has to know. */
async function rotated(config?: string) {
  const asked = await publishing(homes.copy(), registryHome(config), [{ name: 'blog' }])
  asked.home.edit((text) => withKey(withKey(text, manual), alone))
  await asked.home.run(['rotate'])
  return asked
}

async function ask({ registry, token }: Publishing, method: string, path: string, body?: object) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
  return (await fetch(`${registry.url}${path}`, init)).status
}

const jwks = z.object({ keys: z.array(z.record(z.string(), z.string())) })

const shownRegistry = z.looseObject({ registry: z.unknown() })

async function registryOf({ home }: Publishing, key: string) {
  const { exitCode, document } = await home.json(['keys', 'show', key])
  return { exitCode, registry: shownRegistry.parse(document).registry }
}

/** Nothing that Terraform provides. */
const noCatalogue = { verdict: 'done', steps: [], revoked: [], ignored: [], cutOff: [] }

describe('sync and keys show', () => {
  test.concurrent('say so where a registry has what it was told, and that a manual one is not known', async () => {
    const asked = await rotated()
    expect(await asked.home.json(['sync'])).toEqual({
      exitCode: 0,
      document: {
        ...noCatalogue,
        keys: [
          { key: 'blog', ...none },
          { key: 'bot', verdict: 'unknown' },
        ],
        failures: [],
        orphans: [],
      },
      stderr: '',
    })
    expect((await asked.home.run(['sync'])).stdout).toBe(
      'blog: the registry has what it was told\nbot: unknown, since its registry is looked after by hand\n',
    )
    expect(await registryOf(asked, 'blog')).toEqual({ exitCode: 0, registry: none })
    expect(await registryOf(asked, 'bot')).toEqual({
      exitCode: 0,
      registry: { verdict: 'unknown' },
    })
    expect(await registryOf(asked, 'alone')).toEqual({ exitCode: 0, registry: null })
    const { stdout } = await asked.home.run(['keys', 'show', 'bot'])
    expect(stdout).toContain('\n  registry: unknown, since it is looked after by hand\n')
  })

  test.concurrent('name a key that nobody here knows, and remove nothing', async () => {
    const asked = await rotated()
    const foreign = rfcJwk('EdDSA')
    expect(await ask(asked, 'POST', keysPath(), { jwk: foreign })).toBe(201)
    const drift = { ...none, unknownKids: [foreign.kid] }
    expect((await asked.home.json(['sync'])).document).toMatchObject({
      keys: [{ key: 'blog', ...drift }, {}],
    })
    expect(await registryOf(asked, 'blog')).toEqual({ exitCode: 0, registry: drift })
    const { stdout } = await asked.home.run(['sync'])
    expect(stdout).toContain(`blog: the registry has a key that we do not know, ${foreign.kid}\n`)
    expect(await asked.jwksKids('blog')).toHaveLength(2)
  })

  test.concurrent('name a version whose vault no longer proves that it can only sign', async () => {
    const home = homes.copy()
    const [file = ''] = readdirSync(home.at('vault'))
    chmodSync(join(home.at('vault'), file), 0o644)
    const { exitCode, document } = await home.json(['sync'])
    expect([exitCode, document]).toEqual([
      5,
      {
        ...noCatalogue,
        keys: [],
        failures: [
          {
            key: 'first-key',
            code: 'vault_key_unusable',
            message: expect.stringMatching(/^first-key@1: /),
          },
        ],
        orphans: [],
      },
    ])
  })

  test.concurrent('name a version that its vault has lost: keys show goes on to show the rest', async () => {
    const home = homes.copy()
    const shown = () => home.json(['keys', 'show', 'first-key'])
    expect(await shown()).toMatchObject({ exitCode: 0, document: { vaultFailures: [] } })
    const [file = ''] = readdirSync(home.at('vault'))
    rmSync(join(home.at('vault'), file))
    const code = 'vault_key_unusable'
    const message = expect.stringMatching(/^first-key@1: /)
    expect(await shown()).toMatchObject({
      exitCode: 0,
      document: { key: 'first-key', vaultFailures: [{ code, message }], registry: null },
    })
    const { exitCode, stdout } = await home.run(['keys', 'show', 'first-key'])
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^ {2}vault: first-key@1: \S/m)])
    expect((await home.run(['sync'])).exitCode).toBe(5)
  })

  test.concurrent('name a version that verifiers cannot know', async () => {
    const asked = await rotated()
    const [kid] = await asked.jwksKids('blog')
    expect(await ask(asked, 'DELETE', `${keysPath()}/${kid}`)).toBe(204)
    const { exitCode, stdout } = await asked.home.run(['sync'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('blog@1 is not at its registry: verifiers cannot know it\n')
    expect(await registryOf(asked, 'blog')).toMatchObject({ registry: { missing: ['blog@1'] } })
  })

  test.concurrent('name a version that was revoked and is listed again', async () => {
    const other = await rotated()
    const [jwk] = jwks.parse(await (await fetch(other.jwksUrl('blog'))).json()).keys
    await other.home.run(['revoke', 'blog@1', '--reason', 'a test'])
    await ask(other, 'POST', keysPath(), { jwk })
    expect(await other.jwksKids('blog')).toHaveLength(1)
    const { stdout } = await other.home.run(['keys', 'show', 'blog'])
    expect(stdout).toContain(
      '  registry: blog@1 has ended and is still at its registry: delete it there\n',
    )
    expect((await other.home.json(['sync'])).document).toMatchObject({
      keys: [{ ended: ['blog@1'] }, {}],
    })
  })

  test.concurrent('say that a registry which is down is not known, which is not none: sync is exit 5', async () => {
    // Once it is down, nobody else comes by its port.
    const port = await freePort()
    const other = await rotated(`{ listen: 127.0.0.1:${port}, sqlite: ./var/registry.db }\n`)
    await other.registry.stop()
    const problem = { code: 'registry_unavailable', message: 'The registry cannot be reached' }
    expect(await other.home.json(['sync'])).toMatchObject({
      exitCode: 5,
      document: { keys: [{ key: 'bot' }], failures: [{ key: 'blog', ...problem }] },
    })
    const shown = await other.home.json(['keys', 'show', 'blog'])
    expect(shown).toMatchObject({
      exitCode: 0,
      document: { key: 'blog', registry: { verdict: 'failed', ...problem } },
    })
    const { stdout } = await other.home.run(['keys', 'show', 'blog'])
    expect(stdout).toContain('  registry: The registry cannot be reached\n')
  })
})

test.concurrent.each([
  ['app', 'app: blog }', 'app: shop }', 'registry was apps/blog'],
  ['registry', ', registry: { name: apps, app: blog }', '', 'registry was apps/blog'],
])('a key that moves to another %s is a fault of the configuration', async (_, from, to, words) => {
  const { home: moved } = await rotated()
  moved.edit((text) => text.replace(from, to))
  for (const command of ['rotate', 'serve']) {
    const { exitCode, stderr } = await moved.run([command])
    expect([command, exitCode]).toEqual([command, 2])
    expect(stderr).toContain(`${words} and is fixed for ever`)
  }
})
