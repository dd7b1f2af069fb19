import { chmod, chown, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readMountedSecret, readPrivateFile } from '../../src/lib/file.ts'
import { utf8 } from '../../src/lib/bytes.ts'

/** A file of ours; what else it is, the test says. */
async function secretFile(mode: number, owner?: { uid: number; gid: number }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'chancery-mount-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, 'secret')
  await writeFile(path, 'text')
  if (owner) await chown(path, owner.uid, owner.gid)
  await chmod(path, mode)
  return path
}

const isRoot = process.geteuid?.() === 0
const ourGroup = process.getegid?.() ?? -1
const othersGroup = 54_321

const read = (path: string) => readMountedSecret(path, 64)
const openToOthers = {
  code: 'config_invalid',
  message: expect.stringContaining('is open to other'),
}

describe('a secret that somebody else has mounted', () => {
  test.each([0o400, 0o600, 0o700])('is read when only its owner may: %o', async (mode) => {
    expect(await read(await secretFile(mode))).toEqual(utf8('text'))
  })

  test.each([0o604, 0o602, 0o601, 0o644, 0o666, 0o660, 0o620, 0o610, 0o444])(
    'is refused when others may touch it, or its group write it: %o',
    async (mode) => {
      await expect(read(await secretFile(mode))).rejects.toMatchObject(openToOthers)
    },
  )

  test('is found through links, where a file of our own is not', async () => {
    const path = await secretFile(0o600)
    await symlink('secret', `${path}-link`)
    await symlink(`${path}-link`, `${path}-link-again`)
    expect(await read(`${path}-link-again`)).toEqual(utf8('text'))
    await expect(readPrivateFile(`${path}-link`, 64)).rejects.toMatchObject({
      message: expect.stringContaining('is a symbolic link'),
    })
  })

  test('is refused where a link leads to something open', async () => {
    const path = await secretFile(0o644)
    await symlink('secret', `${path}-link`)
    await expect(read(`${path}-link`)).rejects.toMatchObject(openToOthers)
  })

  test.each([
    ['/dev/null', 'is not a regular file'],
    ['/nowhere/at/all', 'does not exist'],
    [tmpdir(), 'is not a regular file'],
  ])('%s is none', async (path, words) => {
    await expect(read(path)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(`${path} ${words}`),
    })
  })

  test('is no larger than what it is for', async () => {
    await expect(readMountedSecret(await secretFile(0o600), 3)).rejects.toMatchObject({
      message: expect.stringContaining('is larger than 3 bytes'),
    })
  })
})

// Whoever is not root can make no file of root's.
describe.runIf(isRoot)('a secret of root’s', () => {
  test.each([0o440, 0o640, 0o400])('may be read by our group: %o', async (mode) => {
    expect(await read(await secretFile(mode, { uid: 0, gid: ourGroup }))).toEqual(utf8('text'))
  })

  test('may not be read by a group that is not ours', async () => {
    const path = await secretFile(0o440, { uid: 0, gid: othersGroup })
    await expect(read(path)).rejects.toMatchObject({
      ...openToOthers,
      message: `${path} is open to other users: chmod 600 ${path} (defaultMode: 0440 where it is mounted)`,
    })
    await chmod(path, 0o400)
    expect(await read(path)).toEqual(utf8('text'))
  })

  test('is strict where it is the local vault’s own', async () => {
    const path = await secretFile(0o440, { uid: 0, gid: ourGroup })
    await expect(readPrivateFile(path, 64)).rejects.toMatchObject(openToOthers)
  })

  test('of another user is nobody’s to read', async () => {
    await expect(read(await secretFile(0o400, { uid: 12_345, gid: 0 }))).rejects.toMatchObject({
      message: expect.stringContaining('belongs to another user'),
    })
  })
})
