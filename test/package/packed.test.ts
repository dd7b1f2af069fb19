import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chancery } from '../support/chancery.ts'
import { homeIn, homesOfThisFile } from '../support/home.ts'
import { pack, type Packed } from '../support/packed.ts'
import { recorded } from '../support/recorded.ts'

const root = resolve(import.meta.dirname, '../..')
const compiledIn = ['kysely', 'yaml', 'zod']
/** Of its own the bundler adds a few lines. */
const noticed = [...compiledIn, 'rolldown']
const homes = homesOfThisFile()
const cwd = mkdtempSync(join(tmpdir(), 'chancery-user-'))
let packed: Packed
beforeAll(() => {
  packed = pack()
})
afterAll(() => {
  packed.remove()
  rmSync(cwd, { recursive: true })
})

test('the package holds compiled code and documents: no source, no test, no vector', () => {
  const others = packed.files.filter((path) => !/^dist\/src\/[\w-]+\.js$/.test(path))
  const documents = [
    'LICENSE',
    'NOTICE',
    'README.md',
    'dist/THIRD-PARTY.txt',
    'openapi.json',
    'package.json',
  ]
  expect(others.toSorted()).toEqual(documents)
  expect(packed.files).toContain('dist/src/main.js')
  expect(packed.files).toContain('dist/src/audit-worker.js')
})

test('the licence of each library whose code is compiled in stands beside it', () => {
  const notices = readFileSync(
    join(dirname(realpathSync(packed.bin)), '../THIRD-PARTY.txt'),
    'utf8',
  )
  for (const name of noticed) {
    expect(notices).toContain(readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8'))
  }
})

test('a command loads few files: none for each module, and none of what is compiled in', async () => {
  const home = homes.copy()
  const { options, files, modules } = recorded(home.directory, packed.bin)
  expect((await home.run(['keys', 'list'], options)).exitCode).toBe(0)
  expect(files().length).toBeLessThan(80)
  expect(modules().length).toBeGreaterThan(300)
  const own = new RegExp(`/node_modules/(?:${compiledIn.join('|')})/`)
  expect(files().filter((path) => own.test(path))).toEqual([])
})

test('the audit worker loads nothing of the commands', async () => {
  const home = homes.copy()
  const { options, files } = recorded(home.directory, packed.bin)
  await using serving = await home.serve(options)
  expect((await serving.stop()).exitCode).toBe(0)
  const times = (name: string) => files().filter((path) => basename(path) === name).length
  expect(['base.js', 'zod.js', 'audit-worker.js'].map(times)).toEqual([2, 2, 1])
  expect(['program.js', 'yaml.js', 'kysely.js'].map(times)).toEqual([1, 1, 1])
})

test('it says of a wrong configuration what the source says', async () => {
  const home = homes.copy()
  home.edit((text) => `${text.replace('alg: ES256', 'alg: 7')}\nextra: true\nlisten: 5\n`)
  home.edit((text) => `${text.replace('alg: ES256', 'alg: 7')}\nextra: { a: ] }\n`, 'syntax.yaml')
  const syntax = ['--config', join(home.directory, 'syntax.yaml')]
  for (const args of [[], syntax]) {
    const [compiled, source] = await Promise.all(
      [packed.bin, undefined].map((program) =>
        home.run([...args, 'config', 'check'], program === undefined ? {} : { program }),
      ),
    )
    expect(compiled).toMatchObject({ exitCode: 2 })
    expect(compiled).toEqual(source)
  }
})

test('its bin runs by its own first line, from a link, as npm makes one', () => {
  const env = { PATH: dirname(process.execPath) }
  const help = execFileSync(packed.bin, ['--help'], { cwd, env, encoding: 'utf8' })
  expect(help).toContain('Usage: chancery [options] [command]')
})

test('installed elsewhere it makes a key, serves, signs and keeps its audit', async () => {
  const { bin: program } = packed
  expect(await chancery(['init', 'home'], { program, cwd })).toMatchObject({
    exitCode: 0,
    stderr: '',
  })
  const header = readFileSync(join(cwd, 'home/var/caller.header'), 'utf8')
  const home = homeIn(join(cwd, 'home'), header.replace('Authorization: Bearer ', '').trim())
  home.usePorts()
  await using serving = await home.serve({ program })
  expect(await serving.ask('first-key', { claims: { sub: 'a' } })).toMatchObject({
    status: 200,
    body: { version: 1, jwt: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) },
  })
  expect((await serving.stop()).exitCode).toBe(0)
  expect(await home.json(['audit', 'verify'], { program })).toMatchObject({
    exitCode: 0,
    document: { verdict: 'whole', intents: 1, unsettled: 0 },
  })
})
