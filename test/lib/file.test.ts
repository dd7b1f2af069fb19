import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  assertPrivateDirectory,
  createFileDurably,
  errnoOf,
  makePrivateDirectory,
  readPrivateFile,
  renameDurably,
  tryReadPrivateFile,
  writeFileDurably,
} from '../../src/lib/file.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { diesBeforeCall, fileCallsOf, justBefore } from '../support/vault-crash.ts'

async function directoryOfThisTest(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'chancery-file-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return directory
}

async function withUmask<T>(mask: number, work: () => Promise<T>): Promise<T> {
  const before = process.umask(mask)
  try {
    return await work()
  } finally {
    process.umask(before)
  }
}

describe.each([
  ['writeFileDurably', writeFileDurably, 'rename'],
  ['createFileDurably', createFileDurably, 'link'],
] as const)('%s', (_name, write, put) => {
  test('syncs the contents before they take their name, and the directory after', async () => {
    const directory = await directoryOfThisTest()
    const calls = await fileCallsOf(() => write(join(directory, 'a'), utf8('text'), 0o600))
    expect(calls).toEqual(['open', 'chmod', 'writeFile', 'sync', put, 'rm', 'open', 'sync'])
  })

  test.each([0o000, 0o022, 0o277])(
    'gives exactly the mode that was asked, umask %o',
    async (mask) => {
      const directory = await directoryOfThisTest()
      const path = join(directory, 'a')
      await withUmask(mask, () => write(path, utf8('text'), 0o640))
      expect((await stat(path)).mode & 0o777).toBe(0o640)
    },
  )

  test('leaves the whole file or none at any death, and no name but a temporary one', async () => {
    let deaths = 0
    for (let hasDied = true; hasDied && deaths < 100;) {
      const directory = await directoryOfThisTest()
      const path = join(directory, 'a')
      hasDied = await diesBeforeCall(deaths + 1, () => write(path, utf8('text'), 0o600))
      if (hasDied) deaths += 1
      const named = (await readdir(directory)).filter(
        (name) => !/^a\.[0-9a-f]{16}\.tmp$/.test(name),
      )
      const contents = await Promise.all(
        named.map((name) => readFile(join(directory, name), 'utf8')),
      )
      expect(['', 'a=text']).toContain(named.map((name, at) => `${name}=${contents[at]}`).join())
    }
    expect(deaths).toBe(8)
  })

  test('leaves nothing when it fails', async () => {
    const directory = await directoryOfThisTest()
    const path = join(directory, 'a')
    await mkdir(join(path, 'in the way'), { recursive: true })
    await expect(write(path, utf8('text'), 0o600)).rejects.toThrow(/EEXIST|EISDIR|ENOTEMPTY/)
    expect(await readdir(directory)).toEqual(['a'])
  })
})

test('a file that exists is replaced by one function and kept by the other', async () => {
  const path = join(await directoryOfThisTest(), 'a')
  await createFileDurably(path, utf8('one'), 0o600)
  const refusal: unknown = await createFileDurably(path, utf8('two'), 0o600).catch(
    (e: unknown) => e,
  )
  expect(errnoOf(refusal)).toBe('EEXIST')
  expect(await readFile(path, 'utf8')).toBe('one')
  await writeFileDurably(path, utf8('three'), 0o600)
  expect(await readFile(path, 'utf8')).toBe('three')
})

test('a rename is made durable too', async () => {
  const directory = await directoryOfThisTest()
  await writeFile(join(directory, 'a'), 'text')
  const calls = await fileCallsOf(() => renameDurably(join(directory, 'a'), join(directory, 'b')))
  expect(calls).toEqual(['rename', 'open', 'sync'])
  expect(await readdir(directory)).toEqual(['b'])
})

describe('a private file', () => {
  test('is read whole, in a buffer that can be zeroed', async () => {
    const path = join(await directoryOfThisTest(), 'a')
    await writeFile(path, 'text', { mode: 0o600 })
    expect(await readPrivateFile(path, 4)).toEqual(utf8('text'))
    expect(await readPrivateFile(path, 4_096)).toEqual(utf8('text'))
  })

  test('an empty one is empty', async () => {
    const path = join(await directoryOfThisTest(), 'a')
    await writeFile(path, '', { mode: 0o400 })
    expect(await readPrivateFile(path, 4)).toEqual(new Uint8Array())
  })

  test.each([
    ['readable by others', 'text', 0o604, 'is open to other users: chmod 600'],
    ['too large', 'texts', 0o600, 'is larger than 4 bytes: look at what is in'],
  ])(
    'one that is %s is refused, with what to do and not with its contents',
    async (_, ...given) => {
      const [contents, mode, words] = given
      const path = join(await directoryOfThisTest(), 'a')
      await writeFile(path, contents, { mode })
      const message = `${path} ${words} ${path}`
      await expect(readPrivateFile(path, 4)).rejects.toMatchObject({
        code: 'config_invalid',
        message,
      })
    },
  )

  test('one that changes while it is read is not taken', async () => {
    const path = join(await directoryOfThisTest(), 'a')
    await writeFile(path, 'text', { mode: 0o600 })
    await using handle = await open(path, 'a')
    const before = { kind: 'unreadable', words: 'changed while it was read' }
    const read = await justBefore(
      (call) => call === 'read',
      () => handle.appendFile('more'),
      () => tryReadPrivateFile(path, 4_096),
    )
    expect(read).toMatchObject({ fault: before })
  })

  test('the words of a fault name no path', async () => {
    const directory = await directoryOfThisTest()
    const read = await tryReadPrivateFile(join(directory, 'missing'), 4)
    expect(read).toMatchObject({ fault: { kind: 'missing', words: 'does not exist' } })
  })
})

describe('a private directory', () => {
  test('is made for us alone, with the missing ones above it', async () => {
    const path = join(await directoryOfThisTest(), 'a', 'b')
    await makePrivateDirectory(path)
    await assertPrivateDirectory(path)
    await makePrivateDirectory(path)
    expect((await stat(path)).mode & 0o777).toBe(0o700)
  })

  test('is no file', async () => {
    const path = join(await directoryOfThisTest(), 'a')
    await writeFile(path, 'text', { mode: 0o600 })
    const complaint = {
      code: 'config_invalid',
      message: `${path} is not a directory: name a directory at ${path}`,
    }
    await expect(assertPrivateDirectory(path)).rejects.toMatchObject(complaint)
    await expect(makePrivateDirectory(path)).rejects.toMatchObject({
      code: 'config_invalid',
      message: `${path} cannot be made (EEXIST)`,
    })
  })
})

test('only a system error has an errno', () => {
  expect(errnoOf(Object.assign(new Error('no'), { code: 'ENOENT' }))).toBe('ENOENT')
  expect([new Error('no'), 'ENOENT', undefined, { code: 'ENOENT' }].map(errnoOf)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})
