import { rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { localGenerator } from '../../../providers/local/generator.ts'
import { readSealedFile } from '../../../providers/local/sealed-file.ts'
import { openLocalVault } from '../../../providers/local/signer.ts'
import type { GenerateRequest } from '../../../src/signing/signer.ts'
import { diesBeforeCall } from '../../support/vault-crash.ts'
import { filesIn, openVersion, vaultOfThisTest } from '../../support/vault-directory.ts'
import { withMode, withoutRoot } from '../../support/vault-directory.ts'
import { unhurried } from '../../support/key-maker.ts'

const { signal } = new AbortController()
const request: GenerateRequest = {
  intentId: '01JD0000000000000000000001',
  name: 'blog@1',
  algorithm: 'ES256',
  modulusBits: undefined,
}
const resource = 'blog@1.01JD0000000000000000000001.json'

test('the resource says which version and which intent it is', async () => {
  const home = await vaultOfThisTest()
  const generator = await localGenerator(home)
  expect(await generator.generate(request, signal)).toBe(resource)
  expect(await filesIn(home.directory)).toEqual([resource])
  expect((await stat(join(home.directory, resource))).mode & 0o777).toBe(0o600)
})

test('the same intent four times at once makes one key', async () => {
  const home = await vaultOfThisTest()
  const generator = await localGenerator(home)
  const asked = Array.from({ length: 4 }, () => generator.generate(request, signal))
  expect(new Set(await Promise.all(asked))).toEqual(new Set([resource]))
  expect(await filesIn(home.directory)).toEqual([resource])
  await openVersion(home, resource, 'ES256')
})

test('a version that the vault already has is never made a second time: its store is gone', async () => {
  const home = await vaultOfThisTest()
  const generator = await localGenerator(home)
  await generator.generate(request, signal)
  const again = generator.generate({ ...request, intentId: '01JD0000000000000000000002' }, signal)
  await expect(again).rejects.toMatchObject({ code: 'refused' })
  expect(await filesIn(home.directory)).toEqual([resource])
})

test.each([
  ['HS256', 32],
  ['HS384', 48],
  ['HS512', 64],
] as const)('the secret of %s is as long as its hash: %i bytes', async (algorithm, bytes) => {
  const home = await vaultOfThisTest()
  await (await localGenerator(home)).generate({ ...request, algorithm }, signal)
  const { sealed } = await readSealedFile(home.directory, resource)
  expect(sealed.length - 12 - 16).toBe(bytes) // nonce and tag
})

test('[C10] aborted while the key is being made: the reason, and nothing is written', async () => {
  const home = await vaultOfThisTest()
  const generator = await localGenerator(home)
  const controller = new AbortController()
  const asked = generator.generate(request, controller.signal)
  const reason = new Error('the job is stopping')
  controller.abort(reason)
  await expect(asked).rejects.toBe(reason)
  expect(await filesIn(home.directory)).toEqual([])
})

test('a repeat under another name still finds the first one', async () => {
  const home = await vaultOfThisTest()
  const generator = await localGenerator(home)
  await generator.generate(request, signal)
  expect(await generator.generate({ ...request, name: 'blog@2' }, signal)).toBe(resource)
})

test.each([
  { name: 'Blog@1' },
  { name: 'blog' },
  { name: 'blog@0' },
  { name: '../blog@1' },
  { name: 'blog@1\nblog@2' },
  { intentId: '' },
  { intentId: '../../master' },
  { intentId: 'a.b' },
  { intentId: 'a'.repeat(65) },
])('$name $intentId is no part of a file name', async (part) => {
  const home = await vaultOfThisTest()
  const generator = await localGenerator(home)
  await expect(generator.generate({ ...request, ...part }, signal)).rejects.toMatchObject({
    code: 'vault_key_unusable',
    message: 'The version and its intent make no file name',
  })
  expect(await filesIn(home.directory)).toEqual([])
})

describe('when it cannot write', () => {
  test('a read-only directory: refused, and nothing stays behind', async () => {
    const home = await vaultOfThisTest()
    const generating = withoutRoot(home, async () => {
      const generator = await localGenerator(home)
      await withMode(home.directory, 0o500, () => generator.generate(request, signal))
    })
    await expect(generating).rejects.toMatchObject({
      code: 'vault_denied',
      message: 'The new key cannot be written (EACCES)',
    })
    expect(await filesIn(home.directory)).toEqual([])
  })

  test('a directory that has gone: unavailable, and not taken for an empty one', async () => {
    const home = await vaultOfThisTest()
    const generator = await localGenerator(home)
    await rmdir(home.directory)
    const unavailable = {
      code: 'vault_unavailable',
      message: 'The directory of the vault cannot be read (ENOENT)',
    }
    await expect(generator.generate(request, signal)).rejects.toMatchObject(unavailable)
    await expect(generator.find(request, signal, unhurried)).rejects.toMatchObject(unavailable)
    await expect(localGenerator(home)).rejects.toMatchObject({
      code: 'config_invalid',
      message: `${home.directory} does not exist: look for ${home.directory}`,
    })
  })

  test('a directory that others can enter: neither vault nor generator starts', async () => {
    const home = await vaultOfThisTest()
    const complaint = {
      code: 'config_invalid',
      message: `${home.directory} is open to other users: chmod 700 ${home.directory}`,
    }
    await withMode(home.directory, 0o710, async () => {
      await expect(localGenerator(home)).rejects.toMatchObject(complaint)
      await expect(openLocalVault(home, { concurrency: 1 })).rejects.toMatchObject(complaint)
    })
  })
})

test('a death at any step leaves no half key, and the repeat ends in one that opens', async () => {
  let deaths = 0
  let found = 0
  for (let hasDied = true; hasDied && deaths < 1_000;) {
    const home = await vaultOfThisTest()
    hasDied = await diesBeforeCall(deaths + 1, async () =>
      (await localGenerator(home)).generate(request, signal),
    )
    if (!hasDied) break
    deaths += 1
    const generator = await localGenerator(home)
    const [left] = await generator.find(request, signal, unhurried)
    if (left !== undefined) found += 1
    if (left !== undefined) await openVersion(home, left, 'ES256')
    expect(await generator.generate(request, signal)).toBe(resource)
    await openVersion(home, resource, 'ES256')
    const kept = (await filesIn(home.directory)).filter((name) => !name.endsWith('.tmp'))
    expect(kept).toEqual([resource])
  }
  expect(deaths).toBeGreaterThan(10)
  expect(found).toBeGreaterThan(0) // dead after the key was in place, before it was told
})
