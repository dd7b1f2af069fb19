import { createPrivateKey } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readMasterKeys } from '../../providers/local/master-key.ts'
import { listResources, readSealedFile, unseal } from '../../providers/local/sealed-file.ts'
import type { Finished } from '../support/chancery.ts'
import { type Canary, type Haystack, leaks } from '../support/canaries.ts'
import { type Home, homesOfThisFile } from '../support/home.ts'
import type { Serving } from '../support/serving.ts'

const homes = homesOfThisFile()
const because = ['--reason', 'a test']

/** The files that hold secrets, or sealed ones: `var/vault` is searched for what it must not show. */
const secretFiles = ['var/master.key', 'var/audit-digest.key', 'var/caller.header']

test('no secret shows in any output, log, answer or other file of a whole session', async () => {
  const home = homes.copy()
  const said: Haystack[] = []
  const canaries: Canary[] = [...(await secretsOf(home))]

  await using serving = await home.serve()
  for (const command of firstCommands(home)) said.push(...heard(await home.run(command)))
  said.push(...(await answersOf(serving, home)))
  for (const command of lastCommands) said.push(...heard(await home.run(command)))
  canaries.push(...(await secretsOf(home)))
  said.push(...(await answersOf(serving, home)))
  const whileItRuns = filesOf(home)
  said.push(...heard(await serving.stop()))
  const files = [...whileItRuns, ...filesOf(home)]
  expect(files.map(({ name }) => name)).toContain('var/chancery.db-wal')
  said.push(...files.filter(({ name }) => !secretFiles.includes(name)))

  // Two master keys, two versions with PKCS#8 and d, the digest key, the API key and its secret.
  expect(new Set(canaries.map(({ name }) => name)).size).toBe(9)
  expect(said.length).toBeGreaterThan(36)
  expect(leaks(said, canaries)).toEqual([])
  // The search finds what is there: the files that hold them do hold them.
  expect(leaks(filesOf(home), canaries)).toEqual(
    expect.arrayContaining([
      'API key raw in var/caller.header',
      'API key’s secret raw in var/caller.header',
      'audit digest key raw in var/audit-digest.key',
      expect.stringMatching(/^master key \S+ raw in var\/master\.key$/),
    ]),
  )
})

/** Every command that there is, good and bad; the version is replaced and the master key exchanged. */
const firstCommands = ({ at }: Home) => [
  ['keys', 'list'],
  ['keys', 'show', 'first-key', '--pem'],
  ['--json', 'keys', 'show', 'first-key'],
  ['fingerprint', at('master.key')],
  ['fingerprint', at('caller.header')],
  ['audit', 'verify', '--checkpoint', at('caller.header')],
  ['audit', 'find', '--message', at('master.key')],
  ['--config', at('caller.header'), 'config', 'check'],
  ['--config', at('master.key'), 'config', 'check'],
  ['init', join(at('.'), '..')],
]

const lastCommands = [
  ['suspend', 'caller', 'first-caller', ...because],
  ['resume', 'caller', 'first-caller', ...because],
  ['revoke', 'first-key@1', ...because],
  ['vault', 'rekey', 'local'],
  ['vault', 'init', 'local'],
  ['--json', 'rotate', 'first-key'],
  ['--json', 'audit', 'verify'],
]

/** Read now: a rekey and a rotation make others. */
async function secretsOf({ at, apiKey }: Home): Promise<readonly Canary[]> {
  const config = { directory: at('vault'), masterKeyFile: at('master.key') }
  using keys = await readMasterKeys(config.masterKeyFile)
  const masterKey = {
    name: `master key ${keys.current.id}`,
    secret: readFileSync(config.masterKeyFile),
  }
  const resources = await listResources(config.directory)
  const sealed = await Promise.all(
    resources.map(async (resource) => {
      const material = Buffer.from(unseal(await readSealedFile(config.directory, resource), keys))
      const privateKey = createPrivateKey({ key: material, format: 'der', type: 'pkcs8' })
      const { d = '' } = privateKey.export({ format: 'jwk' })
      return [
        { name: `${resource} PKCS#8`, secret: material },
        { name: `${resource} d`, secret: Buffer.from(d, 'base64url') },
      ]
    }),
  )
  return [
    masterKey,
    { name: 'audit digest key', secret: readFileSync(at('audit-digest.key')) },
    { name: 'API key', secret: Buffer.from(apiKey) },
    { name: 'API key’s secret', secret: Buffer.from(apiKey.slice('chn_'.length + 11, -6)) },
    ...sealed.flat(),
  ]
}

async function answersOf(serving: Serving, { apiKey }: Home): Promise<readonly Haystack[]> {
  const asked = [
    await serving.ask('first-key', { claims: { sub: 'a' } }),
    await serving.ask('first-key', { claims: { sub: 'a' } }, { accept: 'text/plain' }),
    await serving.ask('first-key', { claims: { iss: apiKey } }),
    await serving.ask('nobody', { claims: {} }),
    await serving.ask('first-key', { message: '' }),
    await serving.ask('first-key', { claims: {} }, { apiKey: `${apiKey}0` }),
  ]
  const headers = { Authorization: `Bearer ${apiKey}` }
  const paths = [
    `${serving.signUrl}/v1/keys/first-key/fingerprint?version=all`,
    `${serving.signUrl}/v1/keys/first-key/export`,
    `${serving.signUrl}/openapi.json`,
    `${serving.opsUrl}/metrics`,
    `${serving.opsUrl}/console`,
  ]
  const got = await Promise.all(
    paths.map(async (url) => {
      const response = await fetch(url, { headers })
      return { text: JSON.stringify([...response.headers]) + (await response.text()) }
    }),
  )
  return [...asked, ...got].map(({ text }, i) => ({
    name: `answer ${i}`,
    content: Buffer.from(text),
  }))
}

function heard({ stdout, stderr }: Finished): readonly Haystack[] {
  return [
    { name: 'stdout', content: Buffer.from(stdout) },
    { name: 'stderr', content: Buffer.from(stderr) },
  ]
}

function filesOf({ directory }: Home): readonly Haystack[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile())
    .map((name) => ({ name, content: readFileSync(join(directory, name)) }))
}
