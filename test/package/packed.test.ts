import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { chancery } from '../support/chancery.ts'
import { homeIn } from '../support/home.ts'
import { pack, type Packed } from '../support/packed.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

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
  const others = packed.files.filter((path) => !/^dist\/(?:src|providers)\/[\w/-]+\.js$/.test(path))
  expect(others.toSorted()).toEqual(['LICENSE', 'README.md', 'openapi.json', 'package.json'])
  expect(packed.files).toContain('dist/src/main.js')
  expect(packed.files).toContain('dist/src/store/audit-worker.js')
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
