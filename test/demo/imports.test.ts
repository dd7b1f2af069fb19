import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Checks } from '../../src/demo/checks.ts'
import { download, type Downloads, importKeys, importWrongFile } from '../../src/demo/imports.ts'
import type { Finished, Program } from '../../src/demo/program.ts'

/** The demo's checks of `import`, against a program that does not do what it should. */

const directory = mkdtempSync(join(tmpdir(), 'chancery-demo-imports-'))
const vault = join(directory, 'vault')
let downloads: Downloads
beforeAll(async () => {
  mkdirSync(vault)
  downloads = await download(join(directory, 'downloads'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Ends every command in the same way. */
function programThatEnds(finished: Finished): Program {
  return {
    run: async () => finished,
    start: () => Promise.reject(new Error('nothing listens here')),
  }
}

const refusing = (message: string) =>
  programThatEnds({ exitCode: 3, json: { error: { issues: [{ message }] } } })
const verdictsOf = async (program: Program) =>
  (await importWrongFile(program, vault, downloads)).map(([isGood]) => isGood)
const words = () => `expected ${downloads.github.fingerprint}, and the key has SHA256:x`

test('a refusal that names both fingerprints, and leaves the vault empty, passes', async () => {
  expect(await verdictsOf(refusing(words()))).toEqual([true, true])
})

test('a refusal for another reason fails', async () => {
  expect(await verdictsOf(refusing('no such key'))).toEqual([false, true])
})

test('an import of the wrong file fails', async () => {
  const imported = { exitCode: 0, json: { version: 'bot@1', state: 'active', custody: 'software' } }
  expect(await verdictsOf(programThatEnds(imported))).toEqual([false, true])
})

test('a refusal that has uploaded the key before fails', async () => {
  const file = join(vault, 'bot@1.01K9Z3V5Q0000000000000000A.json')
  writeFileSync(file, '')
  expect(await verdictsOf(refusing(words()))).toEqual([true, false])
  rmSync(file)
})

test('an import that refuses, or leaves the file, fails', async () => {
  const lines: string[] = []
  const checks = new Checks((line) => lines.push(line))
  await importKeys(refusing('refused'), downloads, checks)
  expect(lines.map((line) => line.trim().split(' ')[0])).toEqual(['FAIL', 'FAIL', 'FAIL'])
  const claimed = { version: 'bot@1', state: 'active', custody: 'software', compared: ['github'] }
  const keeping = programThatEnds({ exitCode: 0, json: { ...claimed, sourceDeleted: true } })
  await importKeys(keeping, downloads, checks)
  expect(lines.map((line) => line.trim().split(' ')[0]).slice(3)).toEqual(['ok', 'FAIL', 'ok'])
  expect(checks.finish()).toBe(1)
})

test('nobody but its user may read what was downloaded', () => {
  const modes = [downloads.pemFile, downloads.wrongPemFile].map((file) => statSync(file).mode)
  expect(modes.map((mode) => mode & 0o777)).toEqual([0o600, 0o600])
})
