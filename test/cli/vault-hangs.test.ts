import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { showKey } from '../../src/cli/keys.ts'
import { host } from '../../src/compose/host.ts'
import { homesOfThisFile } from '../support/home.ts'
import { eventually } from '../support/serving.ts'

const homes = homesOfThisFile()

/** What a command prints, for people and for programs. */
function remembering() {
  const lines: string[] = []
  const documents: object[] = []
  const result = (text: readonly string[], document: object) => {
    lines.push(...text)
    documents.push(document)
  }
  return { lines, documents, output: { json: false, result, text() {}, progress() {} } }
}

/** A file that whoever reads it waits for, as on a share that is gone; until the test ends. */
function endlessFile(directory: string) {
  const path = join(directory, 'pipe')
  execFileSync('mkfifo', [path])
  const hold = () => {
    try {
      const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
      onTestFinished(() => closeSync(writer))
      return true
    } catch {
      return false // nobody reads it yet
    }
  }
  return { path, isRead: () => eventually(hold) }
}

test('keys show waits 20 s for a vault that hangs, says so, and shows the rest: exit 0', async () => {
  const home = homes.copy()
  const file = endlessFile(home.directory)
  const origin = 'https://127.0.0.1:9'
  const azure = `azure: { provider: azure-key-vault, vaultUrl: '${origin}', authorityHost: '${origin}', caFile: ${file.path}, credential: azure-cli }`
  home.edit((text) =>
    text.replace('\nkeys:', `\n  ${azure}\nkeys:`).replace('vault: local', 'vault: azure'),
  )
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { lines, documents, output } = remembering()
  const shown = showKey({ host, output, configFile: home.configFile }, 'first-key', {})
  await file.isRead()
  await vi.advanceTimersByTimeAsync(19_999)
  expect(documents).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(await shown).toBeUndefined() // no exit code but 0
  const message = expect.stringMatching(/^The deadline passed before the answer was ready/)
  expect(documents).toMatchObject([
    {
      key: 'first-key',
      versions: [{ version: 'first-key@1', state: 'active' }],
      orphans: [],
      vaultFailures: [{ code: 'deadline_exceeded', message }],
      registry: null,
    },
  ])
  const text = lines.join('\n')
  expect(text).toMatch(/^ {2}vault: The deadline passed before the answer was ready/m)
  expect(text).toMatch(/^ {4}contentful +\S{43}$/m)
})
