import { execFile } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { publicKeyOf } from '../support/application.ts'
import { fakeContentful, type FakeContentful } from '../support/fake-contentful.ts'
import { fakeGithub, fakeIcr } from '../support/fake-registry-tokens.ts'
import { type Home, homeIn, statesIn } from '../support/home.ts'
import { packClient, type PackedClient } from '../support/packed-client.ts'
import {
  readmeBlocks,
  readmePages,
  type ReadmeShell,
  readmeShell,
  withSections,
} from '../support/readme-shell.ts'
import { eventually } from '../support/serving.ts'

/** What a team of each system does, all from the README: its configuration, commands and application. */

const root = resolve(import.meta.dirname, '../..')

let packed: PackedClient
beforeAll(() => {
  packed = packClient()
  for (const name of [
    '@octokit',
    'universal-user-agent',
    'universal-github-app-jwt',
    'toad-cache',
  ]) {
    symlinkSync(join(root, 'node_modules', name), join(packed.directory, 'node_modules', name))
  }
})
afterAll(() => packed.remove())

type Title = 'A Contentful app' | 'Keys that somebody else makes'

/** What a page's reader has in the end, and what the commands said, by the words after the configuration's file. */
type Followed = {
  readonly shell: ReadmeShell
  readonly home: Home
  readonly said: ReadonlyMap<string, string>
}

const chancery = 'npx chancery --config first/chancery.yaml'

/** Does what a page says, with a service that runs. @param change what the test has elsewhere. */
async function follow(
  shell: ReadmeShell,
  title: Title,
  { change = same, pasted }: { change?: (config: string) => string; pasted?: string } = {},
): Promise<Followed> {
  const page = readmePages.get(title)
  const [added = ''] = readmeBlocks('text', page)
  const [commands = '', ...others] = readmeBlocks('bash', page)
  expect(others).toEqual([])
  const done = async (command: string) => {
    const { exitCode, text = '' } = await shell.perform(command, pasted)
    expect(exitCode, `${command}\n${text}`).toBe(0)
    return text
  }
  await done('npx chancery init first')
  shell.usePorts()
  shell.edit((text) => change(withSections(text, added)))
  await done(`${chancery} serve`)
  const said = new Map<string, string>()
  for (const command of commands.trim().split('\n')) {
    said.set(command.replace(`${chancery} `, ''), await done(command))
  }
  const first = join(shell.directory, 'first')
  const header = readFileSync(join(first, 'var/caller.header'), 'utf8').trim()
  return { shell, home: homeIn(first, header.replace('Authorization: Bearer ', '')), said }
}

const same = (text: string) => text

/** Where the service had not proved a version when its command ended, `rotate` goes on. */
async function signing({ shell, home }: Followed, ...versions: readonly string[]) {
  await eventually(async () => {
    await shell.perform(`${chancery} rotate`)
    const states = statesIn(home)
    return versions.every((version) => states.includes(`${version} active`))
  })
}

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

const snippets = readmeBlocks('js')

async function perform(adapter: string, { shell, home }: Followed, stage: Stage) {
  const found = snippets.filter((text) => text.includes(`${adapter}(chancery`))
  expect(found).toHaveLength(1)
  const [text = ''] = found
  expect(text.trim().split('\n').length).toBeLessThanOrEqual(12)
  const played = { 'https://chancery.example': shell.signUrl, ...stage }
  const write = (name: string, content: string) =>
    writeFileSync(join(packed.directory, name), content)
  write('reroute.js', reroute)
  write('application.js', text)
  write('chancery.token', `${home.apiKey}\n`)
  const args = ['--import', './reroute.js', 'application.js', JSON.stringify(played)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: packed.directory })
  return stdout
}

describe('a team with a Contentful app', () => {
  let contentful: FakeContentful
  let shell: ReadmeShell
  let followed: Followed
  beforeAll(async () => {
    contentful = await fakeContentful(['blogApp'], { end: afterAll })
    shell = await readmeShell()
    followed = await follow(shell, 'A Contentful app', {
      change: (text) =>
        text.replace('type: contentful,', `type: contentful, url: ${contentful.url},`),
      pasted: `${contentful.token}\n`,
    })
    await signing(followed, 'blog@1')
  })
  afterAll(() => shell[Symbol.asyncDispose]())

  test('has a key and its standby at Contentful, as the commands say', () => {
    const kids = contentful.kids('blogApp')
    expect(kids).toHaveLength(2)
    for (const kid of kids) {
      expect(followed.said.get('keys show blog')).toContain(`contentful       ${kid}`)
      expect(followed.said.get('keys show blog --terraform')).toContain(`kid = "${kid}"`)
    }
  })

  test('reads an entry', async () => {
    const stage = { 'https://api.contentful.com': contentful.url }
    expect(await perform('contentfulAppToken', followed, stage)).toBe('first\n')
  })
})

describe('a team whose keys somebody else makes', () => {
  let shell: ReadmeShell
  let followed: Followed
  beforeAll(async () => {
    shell = await readmeShell()
    followed = await follow(shell, 'Keys that somebody else makes')
    await signing(followed, 'github-bot@1', 'carbon@1', 'face-sdk@1')
  })
  afterAll(() => shell[Symbol.asyncDispose]())

  const verifying = async (key: string, issuer: string) => ({
    publicKey: await publicKeyOf(followed.home, key),
    issuer,
    now: () => systemClock.now(),
  })

  test('has nothing left to do, and no file with a key in it', async () => {
    const { stdout } = await followed.home.run(['tasks'])
    expect(stdout).toBe('nothing waits for a human\n')
    expect(readdirSync(shell.directory).toSorted()).toEqual(['bin', 'first'])
  })

  test('lists the repositories of its GitHub App', async () => {
    const github = await fakeGithub(await verifying('github-bot', 'Iv23liExample'))
    onTestFinished(() => github[Symbol.asyncDispose]())
    const stage = { 'https://api.github.com': github.url }
    expect(await perform('githubCreateJwt', followed, stage)).toBe('blog\n')
  })

  test('reads projects by its ICR app', async () => {
    const icr = await fakeIcr(await verifying('carbon', '67890'))
    onTestFinished(() => icr[Symbol.asyncDispose]())
    const stage = { 'https://api.carbonregistry.com': icr.url }
    expect(await perform('icrAccessToken', followed, stage)).toBe('200\n')
  })

  test('has a device’s token signed with the secret of its API key', async () => {
    const jwt = (await perform('tokenSigner', followed, {})).trim()
    const [header, payload, signature] = jwt.split('.')
    const secret = 'the secret that the portal showed'
    expect([...followed.said.keys()].join()).toContain(`printf %s "${secret}"`)
    const mac = createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url')
    expect(signature).toBe(mac)
  })
})
