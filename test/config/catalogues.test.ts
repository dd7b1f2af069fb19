import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadCatalogues } from '../../src/config/catalogues.ts'
import { ServiceError } from '../../src/errors.ts'
import { keyOf } from '../support/grant.ts'

const reports = keyOf('reports', { source: 'provisioned' })
const keys = new Map([[reports.name, reports]])

const entry = {
  vault: 'local',
  alg: 'ES256',
  generations: { '2026-09': { resource: 'a', state: 'enabled' } },
}
const good = { schema_version: 1, environment: 'prod', keys: { reports: entry } }

/** What is said of one file, or of several. */
async function complaintsOf(...documents: readonly unknown[]): Promise<readonly string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'chancery-catalogue-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const files = documents.map((document, i) => {
    const file = join(directory, `${i}.json`)
    writeFileSync(file, typeof document === 'string' ? document : JSON.stringify(document))
    return file
  })
  try {
    loadCatalogues(files, { environment: 'prod', keys })
    return []
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'config_invalid') throw error
    return error.details.issues?.map(({ path, message }) => `${path}: ${message}`) ?? []
  }
}

test('a good catalogue is read, with keys that the configuration does not name', async () => {
  expect(await complaintsOf({ ...good, keys: { reports: entry, others: entry } })).toEqual([])
})

test.each<[string, readonly unknown[], RegExp]>([
  ['another environment', [{ ...good, environment: 'dev' }], /^environment: .*"dev".*"prod"/],
  ['an unknown member', [{ ...good, more: 1 }], /^more: unknown member/],
  [
    'another vault',
    [{ ...good, keys: { reports: { ...entry, vault: 'aws' } } }],
    /^keys\.reports\.vault: .*says local/,
  ],
  [
    'another algorithm',
    [{ ...good, keys: { reports: { ...entry, alg: 'RS256' } } }],
    /^keys\.reports\.alg: .*says ES256/,
  ],
  ['a key in two files', [good, good], /^keys\.reports: it stands in another catalogue too/],
  ['no JSON', ['{'], /^\(file\): not one JSON value/],
  ['a member twice', ['{"schema_version":1,"schema_version":1}'], /^\(file\): not one JSON value/],
])('%s is refused', async (_, documents, complaint) => {
  const complaints = await complaintsOf(...documents)
  expect(complaints).toEqual([expect.stringMatching(complaint)])
})

test('two that are to be the first are refused', async () => {
  const first = { resource: 'a', state: 'enabled', initial: true }
  const generations = { a: first, b: { ...first, resource: 'b' } }
  const document = { ...good, keys: { reports: { ...entry, generations } } }
  expect(await complaintsOf(document)).toEqual([expect.stringContaining('two are initial')])
})

test('a key whose versions are made elsewhere is refused', () => {
  const generated = new Map([[reports.name, keyOf('reports')]])
  const file = join(tmpdir(), 'no-such-catalogue.json')
  expect(() => loadCatalogues([file], { environment: 'prod', keys: generated })).toThrow(
    'no-such-catalogue.json cannot be read (ENOENT)',
  )
})
