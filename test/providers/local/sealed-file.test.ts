import { execFileSync } from 'node:child_process'
import { chmod, chown, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createMasterKey } from '../../../providers/local/master-key.ts'
import { openLocalVault } from '../../../providers/local/signer.ts'
import { encodeBytes } from '../../../src/lib/bytes.ts'
import type { AlgorithmName } from '../../../src/signing/algorithms.ts'
import type { Vault } from '../../../src/signing/signer.ts'
import { memoryKey, memoryKeyPair } from '../../support/memory-key.ts'
import { fileCallsOf } from '../../support/vault-crash.ts'
import { sealKey, someIntent, type VaultDirectory } from '../../support/vault-directory.ts'
import { vaultDirectory, withMode } from '../../support/vault-directory.ts'

const { signal } = new AbortController()
const resource = `blog@1.${someIntent}.json`
const otherResource = `blog@2.${someIntent}.json`

let home: VaultDirectory
let vault: Vault
let path: string
let otherPath: string
let genuine: Buffer
let other: Buffer

beforeAll(async () => {
  home = await vaultDirectory()
  path = join(home.directory, resource)
  otherPath = join(home.directory, otherResource)
  const one = { name: 'blog@1', algorithm: 'ES256', key: memoryKey('ES256').secret } as const
  const two = { ...one, name: 'blog@2', key: memoryKey('ES256', 'other').secret }
  await sealKey(home, one)
  await sealKey(home, two)
  genuine = await readFile(path)
  other = await readFile(otherPath)
  vault = await openLocalVault(home, { concurrency: 1 })
})

afterAll(() => home.remove())

beforeEach(async () => {
  await Promise.all([path, otherPath].map((file) => rm(file, { recursive: true, force: true })))
  await put(path, genuine)
  await put(otherPath, other)
})

const put = (file: string, bytes: Uint8Array | string) => writeFile(file, bytes, { mode: 0o600 })
const opening = (name: AlgorithmName = 'ES256') => vault.open({ resource, algorithm: name }, signal)

async function refusal(): Promise<unknown> {
  return opening().then(
    () => 'nothing was refused',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  )
}

const unusable = (message: string) => ({ code: 'vault_key_unusable', message })
const damaged = unusable('The sealed file is damaged, or something else')
const altered = unusable('The sealed file is damaged or was altered')

test('the file as it was written opens', async () => {
  const signer = await opening()
  expect(await signer.publicKey(signal)).toEqual(memoryKeyPair('ES256').publicKey.spki)
})

describe('rights and kinds', () => {
  test.each([0o640, 0o604, 0o620, 0o601, 0o666])('mode %o is refused', async (mode) => {
    await chmod(path, mode)
    await expect(opening()).rejects.toMatchObject(
      unusable('The sealed file is open to other users'),
    )
  })

  test.each([0o750, 0o705, 0o777])('a directory of mode %o is refused', async (mode) => {
    const around = unusable('The directory of the vault is open to other users')
    await withMode(home.directory, mode, async () => {
      await expect(opening()).rejects.toMatchObject(around)
    })
  })

  test('a symbolic link is refused, also one to the genuine file', async () => {
    await rename(path, join(home.root, 'elsewhere'))
    await symlink(join(home.root, 'elsewhere'), path)
    await expect(opening()).rejects.toMatchObject(unusable('The sealed file is a symbolic link'))
  })

  test('a missing file is refused', async () => {
    await rm(path)
    await expect(opening()).rejects.toMatchObject(unusable('The sealed file does not exist'))
  })

  test('a directory in its place is refused', async () => {
    await rm(path)
    await mkdir(path, { mode: 0o700 })
    await expect(opening()).rejects.toMatchObject(unusable('The sealed file is not a regular file'))
  })

  test('a pipe in its place is refused at once, not waited for', async () => {
    await rm(path)
    execFileSync('sh', ['-c', 'mkfifo -m 600 "$0"', path])
    await expect(opening()).rejects.toMatchObject(unusable('The sealed file is not a regular file'))
  })

  test.skipIf(process.geteuid?.() !== 0)('another user’s file is refused (as root)', async () => {
    await chown(path, 65_534, 65_534)
    await expect(opening()).rejects.toMatchObject(
      unusable('The sealed file belongs to another user'),
    )
  })

  test.each([65_537, 2 ** 33])('a file of %i bytes is refused unread', async (bytes) => {
    await using handle = await open(path, 'r+')
    await handle.truncate(bytes) // sparse
    await expect(opening()).rejects.toMatchObject(
      unusable('The sealed file is larger than 65536 bytes'),
    )
  })
})

/** A sealed file taken apart, to be put together otherwise. */
function membersOf(bytes: Buffer): Record<string, unknown> {
  const members: unknown = JSON.parse(bytes.toString())
  return { ...Object(members) }
}
const members = () => membersOf(genuine)
const otherMembers = () => membersOf(other)
const text = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`

describe('contents', () => {
  test('a file cut short at any byte is refused', async () => {
    const codes = new Set<unknown>()
    for (let length = 0; length < genuine.length; length += 1) {
      await put(path, genuine.subarray(0, length))
      codes.add(await refusal())
    }
    expect([...codes]).toEqual(['vault_key_unusable'])
  })

  test('a file with any one bit flipped is refused', async () => {
    const anyBit = fc.tuple(fc.nat(genuine.length - 1), fc.nat(7))
    const flipped = fc.asyncProperty(anyBit, async ([at, bit]) => {
      const bytes = Buffer.from(genuine)
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at)
      await put(path, bytes)
      expect(await refusal()).toBe('vault_key_unusable')
    })
    await fc.assert(flipped, { numRuns: 1_000 })
  })

  test('a file with any byte inserted, removed or replaced is refused', async () => {
    const anyEdit = fc.record({ at: fc.nat(genuine.length), removed: fc.nat(1), byte: fc.nat(255) })
    const edited = fc.asyncProperty(anyEdit, async ({ at, removed, byte }) => {
      const tail = genuine.subarray(at + removed)
      const bytes = Buffer.concat([genuine.subarray(0, at), Buffer.of(byte), tail])
      fc.pre(!bytes.equals(genuine))
      await put(path, bytes)
      expect(await refusal()).toBe('vault_key_unusable')
    })
    await fc.assert(edited, { numRuns: 1_000 })
  })

  const foreign: readonly (readonly [string, () => string | Uint8Array])[] = [
    ['nothing', () => ''],
    ['an empty object', () => text({})],
    ['an array', () => text([])],
    ['null', () => text(null)],
    ['a private JWK', () => text(memoryKey('ES256').secret.export({ format: 'jwk' }))],
    ['a PEM', () => memoryKey('ES256').secret.export({ type: 'pkcs8', format: 'pem' })],
    ['another format version', () => text({ ...members(), format: 'chancery-local-2' })],
    ['a further member', () => text({ ...members(), note: 'mine' })],
    ['a missing member', () => text({ ...members(), sealed: undefined })],
    ['an empty member', () => text({ ...members(), wrappedKey: '' })],
    [
      'a duplicate member',
      () => genuine.toString().replace('{', '{\n  "format": "chancery-local-1",'),
    ],
    ['another layout', () => JSON.stringify(members())],
    ['another order', () => text(Object.fromEntries(Object.entries(members()).toReversed()))],
    ['padded base64url', () => text({ ...members(), sealed: `${String(members()['sealed'])}=` })],
    ['no final newline', () => genuine.toString().trimEnd()],
    ['a byte order mark', () => `\uFEFF${genuine.toString()}`],
    ['no UTF-8', () => Buffer.concat([genuine, Buffer.of(0xff)])],
  ]

  test.each(foreign)('%s is refused', async (_what, contents) => {
    await put(path, contents())
    await expect(opening()).rejects.toMatchObject(damaged)
  })

  test('two versions whose files were exchanged are both refused', async () => {
    await put(path, other)
    await put(otherPath, genuine)
    const swapped = unusable('The sealed file is that of another version')
    await expect(opening()).rejects.toMatchObject(swapped)
    const second = vault.open({ resource: otherResource, algorithm: 'ES256' }, signal)
    await expect(second).rejects.toMatchObject(swapped)
  })

  test('a file that was renamed is refused', async () => {
    const renamed = `blog@3.${someIntent}.json`
    await rename(path, join(home.directory, renamed))
    const third = vault.open({ resource: renamed, algorithm: 'ES256' }, signal)
    await expect(third).rejects.toMatchObject(
      unusable('The sealed file is that of another version'),
    )
  })

  test('a key under the name of another version is refused, its name edited too', async () => {
    await put(path, text({ ...otherMembers(), version: 'blog@1' }))
    await expect(opening()).rejects.toMatchObject(altered)
  })

  test('a key under another intent is refused, its intent edited too', async () => {
    const intent = '01JD0000000000000000000001'
    const copied = `blog@1.${intent}.json`
    await put(join(home.directory, copied), text({ ...members(), intent }))
    const copy = vault.open({ resource: copied, algorithm: 'ES256' }, signal)
    await expect(copy).rejects.toMatchObject(altered)
  })

  test('a key under another algorithm is refused, the algorithm edited too', async () => {
    await put(path, text({ ...members(), algorithm: 'ES384' }))
    await expect(opening('ES384')).rejects.toMatchObject(altered)
  })

  test('another public key is refused', async () => {
    await put(path, text({ ...members(), spki: otherMembers()['spki'] }))
    await expect(opening()).rejects.toMatchObject(altered)
    await put(path, text({ ...members(), spki: undefined }))
    await expect(opening()).rejects.toMatchObject(altered)
  })

  test.each(['wrappedKey', 'sealed'])('the %s of another file is refused', async (member) => {
    await put(path, text({ ...members(), [member]: otherMembers()[member] }))
    await expect(opening()).rejects.toMatchObject(altered)
  })

  test('data key and contents of another file together are refused', async () => {
    const { wrappedKey, sealed } = otherMembers()
    await put(path, text({ ...members(), wrappedKey, sealed }))
    await expect(opening()).rejects.toMatchObject(altered)
  })

  test.each([1, 27, 28])('%i bytes are too few to be anything sealed', async (bytes) => {
    const short = encodeBytes(new Uint8Array(bytes), 'base64url')
    await put(path, text({ ...members(), wrappedKey: short }))
    await expect(opening()).rejects.toMatchObject(altered)
  })

  const outside = ['../master.key', '/etc/passwd', `../vault/${resource}`, `./${resource}`, '']
  test.each(outside)('%j is refused before any file is looked at', async (elsewhere) => {
    const calls = await fileCallsOf(async () => {
      const asked = vault.open({ resource: elsewhere, algorithm: 'ES256' }, signal)
      await expect(asked).rejects.toMatchObject(unusable('No version has such a resource'))
    })
    expect(calls).toEqual([])
  })

  test('another master key does not open it, and the refusal says so', async () => {
    const masterKeyFile = join(home.root, 'another.key')
    await createMasterKey(masterKeyFile)
    const stranger = await openLocalVault({ ...home, masterKeyFile }, { concurrency: 1 })
    const asked = stranger.open({ resource, algorithm: 'ES256' }, signal)
    await expect(asked).rejects.toMatchObject(
      unusable('The key is sealed under another master key'),
    )
  })
})
