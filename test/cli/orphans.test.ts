import { readdirSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Home, homesOfThisFile, statesIn } from '../support/home.ts'
import { downloadedPem, githubFingerprint, withImportedKeys } from '../support/imported-keys.ts'
import { assertSeeded, seeded } from '../support/seeded.ts'

/** Imports that die between the vault and their message: what they leave in the vault is told by every later run. */

const homes = homesOfThisFile()
let home: Home
let file: string
let intent: string
beforeAll(async () => {
  home = homes.copy()
  home.edit((text) => withImportedKeys(text))
  await dies(downloadedPem(home, 'wrong.pem'), 'after the vault has answered')
  intent = /^bot@1\.(\w{26})\.json$/m.exec(readdirSync(home.at('vault')).join('\n'))?.[1] ?? ''
})

const importOf = (pem: string) => {
  return ['import', 'bot', '--pem', pem, '--expect', `github=${githubFingerprint(pem)}`]
}

async function dies(pem: string, at: string): Promise<void> {
  const died = await home.run(importOf(pem), seeded(at))
  assertSeeded(died)
  expect(died).toMatchObject({ exitCode: null, stdout: '' })
}

const botIn = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.includes('bot@1'))
    .map((line) => line.trim())

describe('a run that has died may have left a key in the vault, and it is told with its tag', () => {
  const words = () =>
    `bot@1 was interrupted, and the vault may have its key, with the tag chancery:intent=${intent}: run the same command again`

  test.each([['keys', 'show', 'bot'], ['rotate', 'bot'], ['rotate'], ['sync']])(
    'by `%s %s %s`',
    async (...args) => {
      const { exitCode, stdout } = await home.run(args)
      expect({ exitCode, lines: botIn(stdout) }).toEqual({ exitCode: 0, lines: [words()] })
    },
  )

  test('and not of another key', async () => {
    expect((await home.run(['keys', 'show', 'icr'])).stdout).not.toContain('intent')
  })
})

describe('a key that a later run has given up, and died before it said so', () => {
  let words: string
  let orphan: object
  beforeAll(async () => {
    file = downloadedPem(home, 'right.pem')
    await dies(file, 'after a key was given up')
    const resource = `bot@1.${intent}.json`
    orphan = { version: 'bot@1', intent, resource }
    words = `bot@1 is no version, and its key is in the vault: ${resource}, with the tag chancery:intent=${intent}. Look at it there, delete it, then \`chancery confirm bot@1 --deleted\``
  })

  test('is told by the next import, which says that it was no version', async () => {
    const { exitCode, document } = await home.json(importOf(file))
    expect({ exitCode, document }).toMatchObject({
      exitCode: 0,
      document: { version: 'bot@2', state: 'active', isNew: true, orphans: [orphan] },
    })
  })

  test('and by the import after that, which has nothing to do', async () => {
    const { exitCode, document } = await home.json(importOf(file))
    expect({ exitCode, document }).toMatchObject({
      exitCode: 0,
      document: { version: 'bot@2', isNew: false, orphans: [orphan] },
    })
  })

  test.each([['keys', 'show', 'bot'], ['rotate', 'bot'], ['rotate'], ['sync']])(
    'by `%s %s %s`',
    async (...args) => {
      const { exitCode, stdout } = await home.run(args)
      expect({ exitCode, lines: botIn(stdout) }).toEqual({ exitCode: 0, lines: [words] })
      expect((await home.json(args)).document).toMatchObject({ orphans: [orphan] })
    },
  )

  test('is a task, until a human says that it is deleted; we never delete it', async () => {
    const tasks = await home.run(['tasks'])
    expect(tasks.stdout).toContain('bot@1  orphan: an interrupted run has left it in the vault')
    const confirmed = await home.json(['confirm', 'bot@1', '--deleted'])
    expect(confirmed).toMatchObject({
      exitCode: 0,
      document: { version: 'bot@1', before: 'orphan', after: 'destroyed' },
    })
    const args = ['tasks', 'rotate', 'sync']
    for (const arg of args) expect((await home.run([arg])).stdout).not.toContain('bot@1')
    expect(readdirSync(home.at('vault'))).toContain(`bot@1.${intent}.json`)
    expect(statesIn(home)).toEqual(['bot@2 active', 'first-key@1 active'])
    expect(await home.run(['confirm', 'bot@1', '--deleted'])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('There is no version bot@1'),
    })
    expect(await home.json(['audit', 'verify'])).toMatchObject({ document: { verdict: 'whole' } })
  })

  test('and its number is not used again', async () => {
    const third = downloadedPem(home, 'third.pem')
    const { document } = await home.json(importOf(third))
    expect(document).toMatchObject({ version: 'bot@3', orphans: [] })
  })
})

test('keys show says who imported a version', async () => {
  const { stdout } = await home.run(['keys', 'show', 'bot'])
  expect(stdout.match(/^ {4}imported by \S+@\S+$/gm)).toHaveLength(2)
})
