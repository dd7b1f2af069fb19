import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { chancery, documentOf, finished, main } from '../support/chancery.ts'

const root = mkdtempSync(join(tmpdir(), 'chancery-init-'))
afterAll(() => rmSync(root, { recursive: true }))

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8)

/** Every path below a directory, and its mode. */
function modes(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  return Object.fromEntries(names.map((name) => [name, modeOf(join(directory, name))]))
}

test('init writes its files for nobody but their owner, and says how to go on', async () => {
  const { exitCode, stdout, stderr } = await chancery(['init', 'first'], { cwd: root })
  expect([exitCode, stderr]).toEqual([0, ''])
  const { 'var/vault': vault, var: data, ...files } = modes(join(root, 'first'))
  expect([vault, data, modeOf(join(root, 'first'))]).toEqual(['700', '700', '700'])
  const [sealed, ...others] = Object.keys(files).filter((name) => name.startsWith('var/vault/'))
  expect(others).toEqual([])
  expect(new Set(Object.keys(files))).toEqual(
    new Set([
      'chancery.yaml',
      'var/.gitignore',
      'var/audit-digest.key',
      'var/caller.header',
      'var/chancery.db',
      'var/chancery.db-migrate',
      'var/master.key',
      sealed,
    ]),
  )
  expect(new Set(Object.values(files))).toEqual(new Set(['600']))
  expect(stdout.split('\n').slice(-4)).toEqual([
    'Go on with:',
    '  npx chancery --config first/chancery.yaml serve',
    `  curl -sS -H @first/var/caller.header -H 'Content-Type: application/json' -H 'Accept: text/plain' -d '{"claims":{"sub":"hello"}}' http://127.0.0.1:8480/v1/keys/first-key/sign`,
    '',
  ])
})

test('the API key is printed once, stands in the header file, and not in the configuration', async () => {
  const directory = join(root, 'second')
  const ran = await chancery(['--json', 'init', directory])
  const header = readFileSync(join(directory, 'var', 'caller.header'), 'utf8')
  const apiKey = header.replace('Authorization: Bearer ', '').trim()
  expect(ran.exitCode).toBe(0)
  expect(documentOf(ran)).toEqual({
    configFile: join(directory, 'chancery.yaml'),
    headerFile: join(directory, 'var', 'caller.header'),
    apiKey,
    version: 'first-key@1',
    next: [expect.stringMatching(/ serve$/), expect.stringMatching(/^curl /)],
  })
  expect(apiKey).toMatch(/^chn_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}$/)
  const config = readFileSync(join(directory, 'chancery.yaml'), 'utf8')
  expect(config).toContain(createHash('sha256').update(apiKey).digest('hex'))
  expect(config).not.toContain(apiKey.slice('chn_'.length + 10))
  expect(readFileSync(join(directory, 'var', '.gitignore'), 'utf8')).toBe('*\n')
})

test('without a directory it writes here; a second time it is refused, and nothing changes', async () => {
  const cwd = mkdtempSync(join(root, 'here-'))
  expect(await chancery(['init'], { cwd })).toMatchObject({ exitCode: 0 })
  const before = readFileSync(join(cwd, 'var', 'caller.header'), 'utf8')
  const again = await chancery(['--json', 'init'], { cwd })
  expect(again.exitCode).toBe(3)
  expect(documentOf(again)).toMatchObject({ error: { code: 'refused' } })
  expect(again.stderr).toContain(
    'exists: nothing was changed; name another directory, or remove it',
  )
  expect(readFileSync(join(cwd, 'var', 'caller.header'), 'utf8')).toBe(before)
})

test('where it cannot write it leaves nothing behind', async () => {
  const file = join(root, 'file')
  writeFileSync(file, '')
  const ran = await chancery(['init', join(file, 'in')])
  expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
  expect(ran.stderr).toContain(`${file}/in/var/vault cannot be made (ENOTDIR)`)
})

test('what fails halfway leaves nothing behind', async () => {
  const cwd = mkdtempSync(join(root, 'small-'))
  // Files of at most 32 KiB: enough for all but the store.
  const limited = `ulimit -f 32; exec "${process.execPath}" "${main}" init a/b`
  const ran = await finished(spawn('bash', ['-c', limited], { cwd, env: {}, stdio: 'pipe' }))
  expect(ran).toMatchObject({ exitCode: 5, stdout: '' })
  expect(ran.stderr).toContain('chancery: The store cannot be used: ')
  expect(readdirSync(cwd)).toEqual([])
})
