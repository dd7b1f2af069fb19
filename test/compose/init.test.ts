import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { checkConfig } from '../../src/compose/check.ts'
import { init } from '../../src/compose/init.ts'

const root = mkdtempSync(join(tmpdir(), 'chancery-init-'))
afterAll(() => rmSync(root, { recursive: true }))

const newDirectory = () => mkdtempSync(join(root, 'in-'))

/** Every path below a directory, with what it is or holds. */
function contents(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  return Object.fromEntries(
    names.map((name) => {
      const path = join(directory, name)
      return [name, lstatSync(path).isFile() ? readFileSync(path, 'base64') : 'no file']
    }),
  )
}

test.each([
  'chancery.yaml',
  'var/master.key',
  'var/audit-digest.key',
  'var/caller.header',
  'var/.gitignore',
  'var/vault',
  'var/chancery.db',
  'var/chancery.db-wal',
])('where %s exists, nothing is changed', async (name) => {
  const directory = newDirectory()
  const path = join(directory, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, 'mine')
  const before = contents(directory)
  await expect(init(directory)).rejects.toMatchObject({
    code: 'refused',
    message: `${path} exists: nothing was changed; name another directory, or remove it`,
  })
  expect(contents(directory)).toEqual(before)
})

test('a link that leads nowhere is there, and stays', async () => {
  const directory = newDirectory()
  symlinkSync('nowhere', join(directory, 'chancery.yaml'))
  await expect(init(directory)).rejects.toMatchObject({ code: 'refused' })
  expect(contents(directory)).toEqual({ 'chancery.yaml': 'no file' })
})

test('of several at once one succeeds, whole, and the others change nothing', async () => {
  const directory = newDirectory()
  const all = await Promise.allSettled(Array.from({ length: 4 }, () => init(directory)))
  const [made, ...others] = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  expect(others).toEqual([])
  expect(made?.version).toBe('first-key@1')
  for (const one of all.filter(({ status }) => status === 'rejected')) {
    expect(one).toMatchObject({ reason: { code: 'refused' } })
  }
  await expect(checkConfig(made?.configFile ?? '')).resolves.toMatchObject({ environment: 'dev' })
  expect(readFileSync(made?.headerFile ?? '', 'utf8')).toBe(
    `Authorization: Bearer ${made?.apiKey}\n`,
  )
})

test('directories that are missing are made; after a failure they are gone again', async () => {
  const directory = newDirectory()
  writeFileSync(join(directory, 'file'), '')
  await expect(init(join(directory, 'file', 'a'))).rejects.toMatchObject({ code: 'config_invalid' })
  expect(Object.keys(contents(directory))).toEqual(['file'])
  await expect(init(join(directory, 'a', 'b'))).resolves.toMatchObject({ version: 'first-key@1' })
})
