import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { awsEnvironment, withAwsVault } from '../support/aws-vault.ts'
import { fakeKms } from '../support/fake-kms.ts'
import { type Home, homesOfThisFile, statesIn } from '../support/home.ts'
import {
  downloadedPem,
  githubFingerprint,
  icrFingerprint,
  put,
  withImportedKeys,
} from '../support/imported-keys.ts'

/** As the teams of each system would: their files, and the program's own processes. */

const homes = homesOfThisFile()

function importingHome(): Home {
  const home = homes.copy()
  home.edit((text) => withImportedKeys(text))
  return home
}

const secret = 'a secret of 32 bytes from portal'
const files = ({ at }: Home) =>
  readdirSync(at('vault')).filter((name) => !name.startsWith('first-key'))
const importedStates = (home: Home) =>
  statesIn(home).filter((line) => !line.startsWith('first-key'))

describe('a GitHub App', () => {
  test('PEM and fingerprint from its dashboard: compared, imported, signs, and the file is gone', async () => {
    const home = importingHome()
    const pem = downloadedPem(home)
    const github = `SHA256:${githubFingerprint(pem)}`
    const { exitCode, document } = await home.json([
      'import',
      'bot',
      '--pem',
      pem,
      '--expect',
      `github=${github}`,
      '--delete-source',
    ])
    expect(exitCode).toBe(0)
    expect(document).toMatchObject({
      version: 'bot@1',
      state: 'active',
      custody: 'software',
      fingerprints: { github },
      compared: ['github'],
      isNew: true,
      orphans: [],
      sourceDeleted: true,
      activation: null,
    })
    expect(existsSync(pem)).toBe(false)
    await using serving = await home.serve()
    const { status, body } = await serving.ask('bot', { claims: {} })
    expect({ status, version: body.version }).toEqual({ status: 200, version: 1 })
    const verified = await home.run(['audit', 'verify'])
    expect(verified.exitCode).toBe(0)
  })

  test('without a fingerprint it waits for a human’s word, which `tasks` spells out', async () => {
    const home = importingHome()
    const pem = downloadedPem(home)
    const imported = await home.run(['import', 'bot', '--pem', pem])
    expect(imported).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('created') })
    expect(imported.stdout).toContain('Nobody has compared it: look for its github fingerprint')
    expect(existsSync(pem)).toBe(true)

    const tasks = await home.run(['tasks'])
    const command = /chancery (confirm bot@1 --fingerprint \S+)/.exec(tasks.stdout)?.[1] ?? ''
    expect(command).toContain(githubFingerprint(pem))
    const wrong = await home.run(['confirm', 'bot@1', '--fingerprint', `github=${'A'.repeat(43)}=`])
    expect(wrong.exitCode).toBe(3)
    expect(importedStates(home)).toEqual(['bot@1 created'])
    const confirmed = await home.json(command.split(' '))
    expect(confirmed).toMatchObject({
      exitCode: 0,
      document: { before: 'created', after: 'active' },
    })
    expect((await home.run(['tasks'])).stdout).not.toContain('bot')
  })

  test('the wrong PEM: exit 3, both fingerprints in the named format, nothing uploaded', async () => {
    const home = importingHome()
    const [pem, other] = [downloadedPem(home), downloadedPem(home, 'other.pem')]
    const expected = `SHA256:${githubFingerprint(other)}`
    const before = readFileSync(home.at('chancery.db'))
    const refused = await home.run([
      'import',
      'bot',
      '--pem',
      pem,
      '--expect',
      `github=${expected}`,
      '--delete-source',
    ])
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' })
    expect(refused.stderr).toContain(
      `github: expected ${expected}, and the key has SHA256:${githubFingerprint(pem)}`,
    )
    expect(existsSync(pem)).toBe(true)
    expect(files(home)).toEqual([])
    expect(readFileSync(home.at('chancery.db')).equals(before)).toBe(true)
  })
})

test('a key file that Windows has saved, with a BOM and its line ends, is the same key', async () => {
  const home = importingHome()
  const pem = downloadedPem(home)
  const saved = put(
    home,
    'saved.pem',
    `\ufeff${readFileSync(pem, 'utf8').replaceAll('\n', '\r\n')}`,
  )
  const github = `github=${githubFingerprint(pem)}`
  const imported = await home.json(['import', 'bot', '--pem', saved, '--expect', github])
  expect(imported).toMatchObject({
    exitCode: 0,
    document: { version: 'bot@1', state: 'active', compared: ['github'] },
  })
})

test('an ICR app: the next key takes over, and a human deletes the one before it', async () => {
  const home = importingHome()
  const [first, second] = [downloadedPem(home), downloadedPem(home, 'second.pem')]
  const expectOf = (pem: string) => ['--expect', `icr=${icrFingerprint(pem)}`]
  const imported = await home.json(['import', 'icr', '--pem', first, ...expectOf(first)])
  expect(imported).toMatchObject({ exitCode: 0, document: { version: 'icr@1', state: 'active' } })
  const next = await home.json(['import', 'icr', '--pem', second, ...expectOf(second)])
  expect(next).toMatchObject({ exitCode: 0, document: { version: 'icr@2', state: 'active' } })
  expect(importedStates(home)).toEqual(['icr@1 retiring', 'icr@2 active'])

  const tasks = await home.run(['tasks'])
  expect(tasks.stdout).toContain(`Delete the key with the icr fingerprint ${icrFingerprint(first)}`)
  const early = await home.run(['confirm', 'icr@2', '--deleted'])
  expect(early.exitCode).toBe(3)
  const deleted = await home.json(['confirm', 'icr@1', '--deleted'])
  expect(deleted).toMatchObject({ exitCode: 0, document: { before: 'retiring', after: 'retired' } })
  expect((await home.run(['tasks'])).stdout).not.toContain('icr@')
})

describe('an API key', () => {
  test('its secret signs tokens that name its key id', async () => {
    const home = importingHome()
    const file = put(home, 'secret', `${secret}\n`)
    const { exitCode, document } = await home.json([
      'import',
      'face',
      '--secret',
      file,
      '--key-id',
      'k-1',
    ])
    expect({ exitCode, document }).toMatchObject({
      exitCode: 0,
      document: {
        version: 'face@1',
        state: 'active',
        kid: 'k-1',
        secret: 'none',
        fingerprints: {},
      },
    })
    await using serving = await home.serve()
    const { status, body } = await serving.ask('face', { claims: { fingerprint: 'a device' } })
    expect(status).toBe(200)
    const { createHmac } = await import('node:crypto')
    const [header, payload, signature] = body.jwt?.split('.') ?? []
    const mac = createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url')
    expect(signature).toBe(mac)
    expect(JSON.parse(Buffer.from(payload ?? '', 'base64url').toString())).toMatchObject({
      key_id: 'k-1',
    })
  })

  test('from the portal’s CSV, and from stdin; a short one is filled up, and it is said', async () => {
    const home = importingHome()
    const csv = put(home, 'keys.csv', 'Name,Key ID,Secret\nblog,k-7,a short secret!\n')
    const imported = await home.run(['import', 'face', '--csv', csv])
    expect(imported).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('kid k-7') })
    expect(imported.stdout).toContain('filled up with zeros for its vault')
    const again = await home.json(['import', 'face', '--secret', '-', '--key-id', 'k-7'], {
      input: 'a short secret!',
    })
    expect(again).toMatchObject({ exitCode: 0, document: { version: 'face@1', isNew: false } })
  })

  test('a CSV of several keys is not deleted with one of them, and nothing is uploaded', async () => {
    const home = importingHome()
    const csv = put(home, 'keys.csv', `id,secret\nk-1,${secret}\nk-2,${secret} 2\n`)
    const take = ['import', 'face', '--csv', csv, '--key-id']
    const refused = await home.run([...take, 'k-1', '--delete-source'])
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
    expect(refused.stderr).toContain(
      `${csv} has 2 keys, and --delete-source would delete the secrets of all: import each without it`,
    )
    expect([existsSync(csv), files(home)]).toEqual([true, []])
    for (const id of ['k-1', 'k-2']) expect((await home.run([...take, id])).exitCode).toBe(0)
    expect(importedStates(home)).toEqual(['face@1 active', 'face@2 active'])
  })

  test('a CSV of one key is deleted with it', async () => {
    const home = importingHome()
    const csv = put(home, 'keys.csv', `id,secret\nk-1,${secret}\n`)
    const taken = await home.json(['import', 'face', '--csv', csv, '--delete-source'])
    expect(taken).toMatchObject({ exitCode: 0, document: { sourceDeleted: true } })
    expect(existsSync(csv)).toBe(false)
  })

  test('regenerated: the old secret is revoked when the command returns, and the new one signs', async () => {
    const home = importingHome()
    const take = (text: string, ...more: string[]) =>
      home.json(['import', 'face', '--secret', '-', '--key-id', 'k-1', ...more], { input: text })
    expect(await take(secret)).toMatchObject({ exitCode: 0 })
    expect(await take(`${secret} 2`)).toMatchObject({ exitCode: 3 })
    const { document } = await take(`${secret} 2`, '--regenerated')
    expect(document).toMatchObject({ version: 'face@2', state: 'active', replaced: 'face@1' })
    expect(document).toHaveProperty('nothingAfter', expect.stringMatching(/T.*\.\d{3}Z$/))
    expect(importedStates(home)).toEqual(['face@1 revoked', 'face@2 active'])
  })
})

test('a second key id is imported while the first signs: both sign, until one is deleted', async () => {
  const home = importingHome()
  const take = (text: string, id: string) =>
    home.json(['import', 'face', '--secret', '-', '--key-id', id], { input: text })
  expect(await take(secret, 'k-1')).toMatchObject({ document: { state: 'active' } })
  expect(await take(`${secret} 2`, 'k-2')).toMatchObject({ document: { state: 'active' } })
  expect(await take(`${secret} 3`, 'k-3')).toMatchObject({ exitCode: 3 })
  expect(importedStates(home)).toEqual(['face@1 active', 'face@2 active'])
  expect((await home.run(['tasks'])).stdout).toContain('Delete the key with the id k-1')

  expect((await home.run(['confirm', 'face@1', '--deleted'])).exitCode).toBe(0)
  expect(importedStates(home)).toEqual(['face@1 retired', 'face@2 active'])
})

test.each([
  ['a PEM', 'bot', (home: Home) => ['--pem', downloadedPem(home)]],
  ['a secret', 'face', (home: Home) => ['--secret', put(home, 's', secret), '--key-id', 'k-1']],
])(
  '%s whose vault has lost its key is not deleted when it is imported again',
  async (_, key, source) => {
    const home = importingHome()
    const given = source(home)
    const take = ['import', key, ...given]
    expect((await home.run(take)).exitCode).toBe(0)
    for (const name of files(home)) rmSync(home.at(`vault/${name}`))
    const again = await home.run([...take, '--delete-source'])
    expect(again).toMatchObject({ exitCode: 5, stdout: '' })
    expect(again.stderr).toContain(`${key}@1 was imported already, and its vault does not prove`)
    expect(existsSync(given[1] ?? '')).toBe(true)
  },
)

test('a key in AWS KMS: wrapped here, the same public key there, and it signs', async () => {
  await using kms = await fakeKms()
  const home = homes.copy()
  home.edit((text) => withImportedKeys(withAwsVault(text, kms.endpoint), 'aws'))
  const pem = downloadedPem(home)
  const env = awsEnvironment
  const github = githubFingerprint(pem)
  const imported = await home.json(
    ['import', 'bot', '--pem', pem, '--expect', `github=${github}`],
    {
      env,
    },
  )
  expect(imported).toMatchObject({
    exitCode: 0,
    document: { version: 'bot@1', state: 'active', custody: 'kms-imported' },
  })
  expect([...kms.world.keys.values()]).toMatchObject([{ origin: 'EXTERNAL', state: 'Enabled' }])
  expect([...kms.world.keys.values()].flatMap(({ tags }) => tags)).toContainEqual({
    TagKey: 'chancery:environment',
    TagValue: 'dev',
  })
  await using serving = await home.serve({ env })
  expect((await serving.ask('bot', { claims: {} })).status).toBe(200)
})

describe('an interrupted import', () => {
  test('whose key is in the vault: told with its tag, shown as a task, gone on with', async () => {
    await using kms = await fakeKms()
    const home = homes.copy()
    home.edit((text) => withImportedKeys(withAwsVault(text, kms.endpoint), 'aws'))
    const pem = downloadedPem(home)
    const run = () => home.run(['import', 'bot', '--pem', pem], { env: awsEnvironment })
    kms.next({ kind: 'lost-reply' }, { action: 'ImportKeyMaterial' })
    const lost = await run()
    expect(lost).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('chancery:intent=') })
    expect((await home.run(['tasks'])).stdout).toContain('bot@1  go on: its import was interrupted')
    const again = await run()
    expect(again).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('bot@1 is imported'),
    })
    expect(kms.world.keys.size).toBe(1)
  })

  test('run again with another file: the first key is reported as an orphan, and stays', async () => {
    await using kms = await fakeKms()
    const home = homes.copy()
    home.edit((text) => withImportedKeys(withAwsVault(text, kms.endpoint), 'aws'))
    const [pem, other] = [downloadedPem(home), downloadedPem(home, 'other.pem')]
    const run = (file: string) =>
      home.json(['import', 'bot', '--pem', file], { env: awsEnvironment })
    kms.next({ kind: 'lost-reply' }, { action: 'ImportKeyMaterial' })
    expect((await run(pem)).exitCode).toBe(5)
    const { exitCode, document } = await run(other)
    expect({ exitCode, document }).toMatchObject({
      exitCode: 0,
      document: { version: 'bot@2', orphans: [{ version: 'bot@1', intent: expect.any(String) }] },
    })
    expect([...kms.world.keys.values()].map(({ state }) => state)).toEqual(['Enabled', 'Enabled'])
  })
})
