import { writeFileSync } from 'node:fs'
import { mkdtemp, rename, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { cutOffByFiles } from '../../src/compose/cut-off.ts'
import { keyOf } from '../support/grant.ts'
import { versionOf } from '../support/store-file.ts'

const reports = keyOf('reports', { source: 'provisioned' })
const version = versionOf('reports', 1, {
  source: 'provisioned',
  generation: 'a',
  resource: 'a',
  state: 'active',
})

async function catalogueFile(key = reports) {
  const directory = await mkdtemp(join(tmpdir(), 'chancery-cut-off-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'catalogue.json')
  return {
    file,
    write: (state: string, to = file) => {
      const entry = { vault: 'local', alg: 'ES256', generations: { a: { resource: 'a', state } } }
      const document = { schema_version: 1, environment: 'prod', keys: { reports: entry } }
      writeFileSync(to, JSON.stringify(document))
    },
    cutOff: cutOffByFiles({
      catalogues: [file],
      environment: 'prod',
      keys: new Map([[key.name, key]]),
    }),
  }
}

test('a catalogue that has not changed is not read again, and one that cannot be read neither', async () => {
  const { file, write, cutOff } = await catalogueFile()
  expect([await cutOff(), await cutOff()]).toEqual([undefined, undefined])
  write('enabled')
  const first = await cutOff()
  expect(first?.(version)).toBe(false)
  expect(await cutOff()).toBe(first)
  await utimes(file, 1, 1)
  const touched = await cutOff()
  expect(touched).not.toBe(first)
  expect(await cutOff()).toBe(touched)
})

test('what a catalogue says is of its file as it is now: written, replaced, taken away, and back', async () => {
  const { file, write, cutOff } = await catalogueFile()
  const isCutOff = async () => (await cutOff())?.(version)
  write('enabled')
  expect(await isCutOff()).toBe(false)
  write('pending') // as many bytes
  await utimes(file, 1, 1)
  expect(await isCutOff()).toBe(true)
  write('enabled', `${file}.new`)
  await utimes(`${file}.new`, 1, 1) // and as old
  await rename(`${file}.new`, file)
  expect(await isCutOff()).toBe(false)
  await rm(file)
  expect(await isCutOff()).toBeUndefined()
  write('retiring')
  expect(await isCutOff()).toBe(true)
})

test('a key that Terraform looks after no more is cut off by no catalogue', async () => {
  const { file, cutOff } = await catalogueFile(keyOf('reports'))
  writeFileSync(file, JSON.stringify({ schema_version: 1, environment: 'prod', keys: {} }))
  expect((await cutOff())?.(version)).toBe(false)
})
