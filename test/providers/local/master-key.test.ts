import { chmod, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { localGenerator } from '../../../providers/local/generator.ts'
import { initLocalVault } from '../../../providers/local/init.ts'
import { createMasterKey, readMasterKeys } from '../../../providers/local/master-key.ts'
import { openLocalVault } from '../../../providers/local/signer.ts'
import { memoryKey } from '../../support/memory-key.ts'
import { filesIn, sealKey, vaultOfThisTest } from '../../support/vault-directory.ts'

const { signal } = new AbortController()

describe('making one', () => {
  test('it is 32 bytes that only we may read, and another one each time', async () => {
    const home = await vaultOfThisTest()
    const other = join(home.root, 'other.key')
    await createMasterKey(other)
    const [one, two] = await Promise.all([readFile(home.masterKeyFile), readFile(other)])
    expect([one.length, two.length]).toEqual([32, 32])
    expect(one.equals(two)).toBe(false)
    expect((await stat(other)).mode & 0o777).toBe(0o600)
  })

  test('one that exists is never replaced', async () => {
    const home = await vaultOfThisTest()
    const before = await readFile(home.masterKeyFile)
    const asked = createMasterKey(home.masterKeyFile)
    await expect(asked).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(`${home.masterKeyFile} exists already: `),
    })
    expect(await readFile(home.masterKeyFile)).toEqual(before)
    expect(await filesIn(home.root)).toEqual(['master.key', 'vault'])
  })

  test('where it cannot be written is said to the operator', async () => {
    const home = await vaultOfThisTest()
    const path = join(home.root, 'missing', 'master.key')
    await expect(createMasterKey(path)).rejects.toMatchObject({
      code: 'config_invalid',
      message: `${path} cannot be written (ENOENT)`,
    })
  })

  test('init makes the directory and the master key, both for us alone', async () => {
    const home = await vaultOfThisTest()
    const directory = join(home.root, 'deep', 'vault')
    const masterKeyFile = join(home.root, 'keys', 'master.key')
    await initLocalVault({ provider: 'local', directory, masterKeyFile })
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    await openLocalVault({ provider: 'local', directory, masterKeyFile }, { concurrency: 1 })
  })

  test('init refuses a directory whose keys only a lost master key opens', async () => {
    const home = await vaultOfThisTest()
    await sealKey(home, { name: 'blog@1', algorithm: 'EdDSA', key: memoryKey('EdDSA').secret })
    await rm(home.masterKeyFile)
    await expect(initLocalVault(home)).rejects.toMatchObject({ code: 'refused' })
    expect(await filesIn(home.root)).toEqual(['vault'])
  })

  test('init refuses a directory that others can enter', async () => {
    const home = await vaultOfThisTest()
    await rm(home.masterKeyFile)
    await chmod(home.directory, 0o755)
    await expect(initLocalVault(home)).rejects.toMatchObject({
      code: 'config_invalid',
      message: `${home.directory} is open to other users: chmod 700 ${home.directory}`,
    })
  })
})

describe('its id', () => {
  test('is stable, and neither the key nor a plain digest of it', async () => {
    const home = await vaultOfThisTest()
    const bytes = await readFile(home.masterKeyFile)
    using first = await readMasterKeys(home.masterKeyFile)
    using second = await readMasterKeys(home.masterKeyFile)
    const { id } = first.current
    const forms = ['hex', 'base64', 'base64url'] as const
    const plain = ['sha1', 'sha256', 'sha512'].flatMap((name) =>
      forms.map((form) => hash(name, bytes, form)),
    )
    expect(id).toBe(second.current.id)
    expect(id).toMatch(/^[\w-]{22}$/)
    expect(bytes.toString('base64url').includes(id.slice(0, 8))).toBe(false)
    // The last of the 22 characters holds four bits of nothing.
    expect(plain.filter((digest) => digest.includes(id.slice(0, 21)))).toEqual([])
  })

  test('the bytes are zeroed when the keys are let go', async () => {
    const home = await vaultOfThisTest()
    const keys = await readMasterKeys(home.masterKeyFile)
    const held = keys.current.secret.reveal()
    expect(held.some((byte) => byte !== 0)).toBe(true)
    keys[Symbol.dispose]()
    expect([...held]).toEqual([...new Uint8Array(32)])
  })
})

type Spoil = (path: string) => Promise<unknown>

/** What is wrong with it, the words about it, and how it got that way. */
const spoiled: readonly (readonly [string, string, Spoil])[] = [
  ['missing', 'does not exist: look for', (path) => rm(path)],
  ['readable for a group', 'is open to other users: chmod 600', (path) => chmod(path, 0o640)],
  ['readable for all', 'is open to other users: chmod 600', (path) => chmod(path, 0o604)],
  ['a byte short', 'is no master key: it has 31 bytes', (path) => put(path, 31)],
  ['empty', 'is no master key: it has 0 bytes', (path) => put(path, 0)],
  ['a byte long', 'is larger than 32 bytes', (path) => put(path, 33)],
  ['base64 text', 'is larger than 32 bytes', (path) => put(path, 44)],
  ['a directory', 'is not a regular file', (path) => rm(path).then(() => mkdir(path))],
  ['a symbolic link', 'is a symbolic link', (path) => moveAndLink(path)],
]

describe.each(spoiled)('a master key that is %s', (_what, words, spoil) => {
  test('stops the vault and the generator at the start, with the path and what to do', async () => {
    const home = await vaultOfThisTest()
    await spoil(home.masterKeyFile)
    const complaint = {
      code: 'config_invalid',
      message: expect.stringContaining(`${home.masterKeyFile} ${words}`),
    }
    await expect(openLocalVault(home, { concurrency: 1 })).rejects.toMatchObject(complaint)
    await expect(localGenerator(home)).rejects.toMatchObject(complaint)
  })

  test('stops an opening later on, without the path', async () => {
    const home = await vaultOfThisTest()
    const vault = await openLocalVault(home, { concurrency: 1 })
    const key = memoryKey('EdDSA').secret
    const resource = await sealKey(home, { name: 'blog@1', algorithm: 'EdDSA', key })
    await spoil(home.masterKeyFile)
    await expect(vault.open({ resource, algorithm: 'EdDSA' }, signal)).rejects.toMatchObject({
      code: 'vault_unavailable',
      message: 'The master key cannot be read',
    })
  })
})

test('a next master key that is spoiled is not taken for an absent one', async () => {
  const home = await vaultOfThisTest()
  await put(`${home.masterKeyFile}.next`, 31)
  await expect(openLocalVault(home, { concurrency: 1 })).rejects.toMatchObject({
    code: 'config_invalid',
  })
})

const put = (path: string, bytes: number) =>
  writeFile(path, new Uint8Array(bytes).fill(7), { mode: 0o600 })

async function moveAndLink(path: string): Promise<void> {
  await rename(path, `${path}.moved`)
  await symlink(`${path}.moved`, path)
}
