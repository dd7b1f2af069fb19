import { createSecretKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { localImporter } from '../../../providers/local/importer.ts'
import type { ImportRequest } from '../../../src/signing/signer.ts'
import { leaks } from '../../support/canaries.ts'
import { memoryKey } from '../../support/memory-key.ts'
import { filesIn, vaultOfThisTest } from '../../support/vault-directory.ts'

const { signal } = new AbortController()
const request: ImportRequest = {
  intentId: '01JD0000000000000000000001',
  name: 'bot@1',
  algorithm: 'ES256',
  material: memoryKey('ES256').secret,
}
const resource = 'bot@1.01JD0000000000000000000001.json'

test('the resource says which version and which intent it is', async () => {
  const home = await vaultOfThisTest()
  expect(await (await localImporter(home)).import(request, signal)).toBe(resource)
  expect(await filesIn(home.directory)).toEqual([resource])
})

test('the same intent twice is one key: the first', async () => {
  const home = await vaultOfThisTest()
  const importer = await localImporter(home)
  await importer.import(request, signal)
  const before = await readFile(join(home.directory, resource))
  const other = { ...request, material: memoryKey('ES256', 'other').secret }
  expect(await importer.import(other, signal)).toBe(resource)
  expect(await readFile(join(home.directory, resource))).toEqual(before)
})

test('a version that the vault has under another intent is not taken in: its store is gone', async () => {
  const home = await vaultOfThisTest()
  const importer = await localImporter(home)
  await importer.import(request, signal)
  const again = importer.import({ ...request, intentId: '01JD0000000000000000000002' }, signal)
  await expect(again).rejects.toMatchObject({ code: 'refused' })
  expect(await filesIn(home.directory)).toEqual([resource])
})

test('the sealed file shows nothing of the key, nor of a secret', async () => {
  const home = await vaultOfThisTest()
  const importer = await localImporter(home)
  const secret = Buffer.from('a canary of thirty-two characters')
  const material = createSecretKey(secret)
  await importer.import({ ...request, algorithm: 'HS256', material }, signal)
  const content = await readFile(join(home.directory, resource))
  expect(leaks([{ name: resource, content }], [{ name: 'secret', secret }])).toEqual([])
})
