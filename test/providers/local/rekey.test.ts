import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { localGenerator } from '../../../providers/local/generator.ts'
import { createMasterKey, readMasterKeys } from '../../../providers/local/master-key.ts'
import { rekey } from '../../../providers/local/rekey.ts'
import { rewrap } from '../../../providers/local/seal.ts'
import { readSealedFile, sealedBytes } from '../../../providers/local/sealed-file.ts'
import { openLocalVault } from '../../../providers/local/signer.ts'
import { equalBytes } from '../../../src/lib/bytes.ts'
import { memoryKey, memoryKeyPair } from '../../support/memory-key.ts'
import { diesBeforeCall, justBefore } from '../../support/vault-crash.ts'
import { filesIn, openVersion, sealKey, someIntent } from '../../support/vault-directory.ts'
import { type VaultDirectory, vaultOfThisTest } from '../../support/vault-directory.ts'

const { signal } = new AbortController()
const { spki } = memoryKeyPair('EdDSA').publicKey
const names = ['blog@1', 'blog@2', 'docs@1']
const resources = names.map((name) => `${name}.${someIntent}.json`)
const request = {
  name: 'late@1',
  intentId: '01JD0000000000000000000009',
  algorithm: 'EdDSA',
  modulusBits: undefined,
} as const

async function vaultOfThreeKeys(): Promise<VaultDirectory> {
  const home = await vaultOfThisTest()
  const { secret: key } = memoryKey('EdDSA')
  for (const name of names) await sealKey(home, { name, algorithm: 'EdDSA', key })
  return home
}

/** How many of the three are there, to a vault that has just been started. */
async function openedOf(home: VaultDirectory): Promise<number> {
  const signers = resources.map((resource) => openVersion(home, resource, 'EdDSA'))
  const keys = (await Promise.all(signers)).map((signer) => signer.publicKey(signal))
  return (await Promise.all(keys)).filter((key) => key && equalBytes(key, spki)).length
}

async function opens(home: VaultDirectory, resource = ''): Promise<boolean> {
  const signer = await openVersion(home, resource, 'EdDSA')
  return (await signer.publicKey(signal)) !== undefined
}

async function idsIn(home: VaultDirectory): Promise<readonly string[]> {
  const files = resources.map((resource) => readSealedFile(home.directory, resource))
  return [...new Set((await Promise.all(files)).map(({ masterKey }) => masterKey))]
}

async function currentId(home: VaultDirectory): Promise<string> {
  using keys = await readMasterKeys(home.masterKeyFile)
  return keys.current.id
}

const isThere = async (path: string) => (await filesIn(join(path, '..'))).includes(nameOf(path))
const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1)

const isReplacing = (call: string) => ['rename', 'link'].includes(call)

/** What the operator is told, and whether anything is another one than before. */
async function refusedRekey(home: VaultDirectory) {
  const before = await readFile(home.masterKeyFile)
  const error: unknown = await rekey(home).catch((refusal: unknown) => refusal)
  const isUnchanged = before.equals(await readFile(home.masterKeyFile))
  return { error, isUnchanged, files: await filesIn(home.root) }
}

const refusedAt = (path: string, why: string) => ({
  error: {
    code: 'refused',
    message: `${path}: ${why}: restore it from a backup or move it away, and run this again`,
  },
  isUnchanged: true,
  files: ['master.key', 'vault'],
})

async function expectRekeyed(home: VaultDirectory, before: Buffer): Promise<void> {
  expect(await openedOf(home)).toBe(3)
  expect(await idsIn(home)).toEqual([await currentId(home)])
  expect((await readFile(home.masterKeyFile)).equals(before)).toBe(false)
  expect(await isThere(`${home.masterKeyFile}.next`)).toBe(false)
}

describe('a whole rekey', () => {
  test('wraps every file anew, tells how many, and leaves one new master key', async () => {
    const home = await vaultOfThreeKeys()
    const before = await readFile(home.masterKeyFile)
    expect(await rekey(home)).toBe(3)
    await expectRekeyed(home, before)
    expect(await rekey(home)).toBe(3)
    await expectRekeyed(home, before)
    expect(await filesIn(home.root)).toEqual(['master.key', 'vault'])
    expect(await filesIn(home.directory)).toEqual(resources)
  })

  test('an empty vault gets a new master key too', async () => {
    const home = await vaultOfThisTest()
    const before = await currentId(home)
    expect(await rekey(home)).toBe(0)
    expect(await currentId(home)).not.toBe(before)
  })

  test('the old master key opens nothing afterwards', async () => {
    const home = await vaultOfThreeKeys()
    const old = join(home.root, 'old.key')
    await copyFile(home.masterKeyFile, old)
    await rekey(home)
    const asked = openVersion(
      { ...home, masterKeyFile: old },
      'blog@1.' + someIntent + '.json',
      'EdDSA',
    )
    await expect(asked).rejects.toMatchObject({
      code: 'vault_key_unusable',
      message: 'The key is sealed under another master key',
    })
  })

  test('what is sealed is neither opened nor sealed again: only the data key changes hands', async () => {
    const home = await vaultOfThreeKeys()
    const [resource = ''] = resources
    const before = await readSealedFile(home.directory, resource)
    await rekey(home)
    const { masterKey, wrappedKey, ...same } = await readSealedFile(home.directory, resource)
    expect(before).toMatchObject(same)
    expect(masterKey).not.toBe(before.masterKey)
    expect(wrappedKey).not.toEqual(before.wrappedKey)
  })

  test('a vault that was opened before goes on opening versions, without a restart', async () => {
    const home = await vaultOfThreeKeys()
    const vault = await openLocalVault(home, { concurrency: 1 })
    await rekey(home)
    const [resource = ''] = resources
    const signer = await vault.open({ resource, algorithm: 'EdDSA' }, signal)
    expect(await signer.publicKey(signal)).toEqual(spki)
  })
})

describe('an interrupted rekey', () => {
  test('at every step: every key still opens, and the next run ends it', async () => {
    let deaths = 0
    for (let hasDied = true; hasDied && deaths < 1_000;) {
      const home = await vaultOfThreeKeys()
      const before = await readFile(home.masterKeyFile)
      hasDied = await diesBeforeCall(deaths + 1, () => rekey(home))
      if (!hasDied) break
      deaths += 1
      expect(await openedOf(home)).toBe(3)
      await rekey(home)
      await expectRekeyed(home, before)
    }
    // Three files at seven calls each, two master keys, and what is read before.
    expect(deaths).toBeGreaterThan(40)
  })

  test('at every step: a vault that is running opens every version in between', async () => {
    const home = await vaultOfThreeKeys()
    const vault = await openLocalVault(home, { concurrency: 1 })
    let opened = 0
    const openAll = async () => {
      for (const resource of resources) {
        await vault.open({ resource, algorithm: 'EdDSA' }, signal)
        opened += 1
      }
    }
    // One link makes the next master key; then a rename for each file, and the last for the key itself.
    for (const nth of [1, 2, 3, 4, 5]) {
      let seen = 0
      await justBefore(
        (call) => isReplacing(call) && (seen += 1) === nth,
        openAll,
        () => rekey(home),
      )
      await openAll()
    }
    expect(opened).toBe(30)
  })

  test('with the next master key made and one of three files done: two are left', async () => {
    const home = await vaultOfThreeKeys()
    const before = await readFile(home.masterKeyFile)
    await createMasterKey(`${home.masterKeyFile}.next`)
    const [resource = ''] = resources
    using keys = await readMasterKeys(home.masterKeyFile)
    const { current, next = current } = keys
    const moved = rewrap(await readSealedFile(home.directory, resource), keys, next)
    await writeFile(join(home.directory, resource), sealedBytes(moved))
    expect(await openedOf(home)).toBe(3)
    expect(await rekey(home)).toBe(2)
    await expectRekeyed(home, before)
  })

  test('leftovers of a crash are no keys: they are neither listed nor in the way', async () => {
    const home = await vaultOfThreeKeys()
    const [resource] = resources
    await writeFile(join(home.directory, `${resource}.0123456789abcdef.tmp`), 'half', {
      mode: 0o600,
    })
    await writeFile(`${home.masterKeyFile}.next.0123456789abcdef.tmp`, 'half', { mode: 0o600 })
    expect(await rekey(home)).toBe(3)
    expect(await openedOf(home)).toBe(3)
  })
})

describe('a rekey that is refused changes nothing', () => {
  test('a damaged file', async () => {
    const home = await vaultOfThreeKeys()
    const [, resource = ''] = resources
    const path = join(home.directory, resource)
    await writeFile(path, '{}')
    expect(await refusedRekey(home)).toMatchObject(
      refusedAt(path, 'The sealed file is damaged, or something else'),
    )
  })

  test('a file of another master key', async () => {
    const home = await vaultOfThreeKeys()
    const elsewhere = await vaultOfThreeKeys()
    const [, , resource = ''] = resources
    const path = join(home.directory, resource)
    await copyFile(join(elsewhere.directory, resource), path)
    expect(await refusedRekey(home)).toMatchObject(
      refusedAt(path, 'The key is sealed under another master key'),
    )
  })

  test('no master key', async () => {
    const home = await vaultOfThreeKeys()
    await rm(home.masterKeyFile)
    await expect(rekey(home)).rejects.toMatchObject({ code: 'config_invalid' })
    expect(await filesIn(home.root)).toEqual(['vault'])
  })
})

describe('a rekey beside others', () => {
  test('a file put back from a backup meanwhile is wrapped too', async () => {
    const home = await vaultOfThreeKeys()
    const { secret: key } = memoryKey('EdDSA')
    const resource = await sealKey(home, { name: 'back@1', algorithm: 'EdDSA', key })
    const [inside, aside] = [join(home.directory, resource), join(home.root, resource)]
    await rename(inside, aside)
    const rewrapped = await justBefore(
      (call) => call === 'rename',
      () => rename(aside, inside),
      () => rekey(home),
    )
    expect(rewrapped).toBe(4)
    expect(await opens(home, resource)).toBe(true)
  })

  test('two at once leave every key openable, whichever ends first', async () => {
    const home = await vaultOfThreeKeys()
    const before = await readFile(home.masterKeyFile)
    const ends = await Promise.allSettled([rekey(home), rekey(home)])
    expect(ends.map(({ status }) => status)).toContain('fulfilled')
    await expectRekeyed(home, before)
  })

  test('one that was overtaken puts no other master key in place than the files name', async () => {
    const home = await vaultOfThreeKeys()
    const next = `${home.masterKeyFile}.next`
    let reads = 0
    const overtaken = justBefore(
      (call, path) => call === 'open' && path === next && (reads += 1) === 3, // to see whether it may end
      async () => {
        await rekey(home)
        await createMasterKey(next) // and a third one has begun
      },
      () => rekey(home),
    )
    await expect(overtaken).rejects.toMatchObject({ code: 'refused' })
    expect(await openedOf(home)).toBe(3)
  })

  test('one that ends while a file is being opened fails no opening', async () => {
    const home = await vaultOfThreeKeys()
    const vault = await openLocalVault(home, { concurrency: 1 })
    const [resource = ''] = resources
    const isKeyRead = (call: string, path: unknown) =>
      call === 'open' && path === `${home.masterKeyFile}.next`
    const signer = await justBefore(
      isKeyRead,
      () => rekey(home),
      () => vault.open({ resource, algorithm: 'EdDSA' }, signal),
    )
    expect(await signer.publicKey(signal)).toEqual(spki)
  })

  test('one that ends while a key is being generated leaves no key that nothing opens', async () => {
    const home = await vaultOfThreeKeys()
    const generator = await localGenerator(home)
    const generating = justBefore(
      (call) => call === 'link',
      () => rekey(home),
      () => generator.generate(request, signal),
    )
    await expect(generating).rejects.toMatchObject({ code: 'vault_unavailable' })
    expect(await filesIn(home.directory)).toEqual(resources)
    const resource = await generator.generate(request, signal)
    expect(await opens(home, resource)).toBe(true)
  })

  test('one that listed the files just before a key was generated does not lose it', async () => {
    const home = await vaultOfThreeKeys()
    const generator = await localGenerator(home)
    let resource: string | undefined
    let files = 0
    await justBefore(
      (call) => call === 'rename' && (files += 1) === 4, // three files, then the master key
      async () => (resource = await generator.generate(request, signal)),
      () => rekey(home),
    )
    expect(await opens(home, resource)).toBe(true)
  })

  test('while one is interrupted, what is generated opens before and after its end', async () => {
    const home = await vaultOfThreeKeys()
    await createMasterKey(`${home.masterKeyFile}.next`)
    const resource = await (await localGenerator(home)).generate(request, signal)
    expect(await opens(home, resource)).toBe(true)
    expect(await rekey(home)).toBe(3)
    expect(await opens(home, resource)).toBe(true)
  })
})
