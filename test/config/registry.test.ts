import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loadRegistryConfig } from '../../src/config/registry.ts'
import { ServiceError } from '../../src/errors.ts'

const good = `listen: 127.0.0.1:8490
tls:
  certificateFile: ./tls.crt
  keyFile: /etc/tls.key
sqlite: ./var/registry.db
jwksMaxAge: 10m
maxKeys: 5
`

function written(text: string): { readonly directory: string; readonly file: string } {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-registry-config-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'registry.yaml')
  writeFileSync(file, text)
  return { directory, file }
}

/** `path: message` of each, without the directory. */
function complaintsOf(text: string): readonly string[] {
  const { directory, file } = written(text)
  try {
    loadRegistryConfig(file)
    return []
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'config_invalid') throw error
    const issues = error.details.issues ?? []
    return issues.map(({ path, message }) => `${path}: ${message.replace(`${directory}/`, '')}`)
  }
}

describe('the registry’s configuration', () => {
  test('is read whole: paths from the file’s place, times in milliseconds', () => {
    const { directory, file } = written(good)
    expect(loadRegistryConfig(file)).toEqual({
      listen: { host: '127.0.0.1', port: 8490 },
      tls: { certificateFile: join(directory, 'tls.crt'), keyFile: '/etc/tls.key' },
      sqlite: join(directory, 'var/registry.db'),
      jwksMaxAgeMs: 600_000,
      maxKeys: 5,
    })
  })

  test('needs nothing but the database’s place', () => {
    const { directory, file } = written('{ sqlite: registry.db }')
    expect(loadRegistryConfig(file)).toEqual({
      listen: { host: '127.0.0.1', port: 8490 },
      tls: undefined,
      sqlite: join(directory, 'registry.db'),
      jwksMaxAgeMs: 300_000,
      maxKeys: 3,
    })
  })

  test('is refused with everything that is wrong, each with its path and line', () => {
    const text = good
      .replace('127.0.0.1:8490', 'nowhere')
      .replace('  keyFile: /etc/tls.key\n', '')
      .replace('10m', '10x')
      .replace('maxKeys: 5', 'maxKeys: 0')
      .concat('tokens: {}\n')
    expect(complaintsOf(text)).toEqual([
      'listen: an address is HOST:PORT, like 127.0.0.1:8480 (registry.yaml:1)',
      'tls.keyFile: missing: add it (registry.yaml:3)',
      'jwksMaxAge: a duration is a number with s, m, h or d, like 30s (registry.yaml:5)',
      'maxKeys: Too small: expected number to be >=1 (registry.yaml:6)',
      'tokens: unknown member: correct or remove it (registry.yaml:7)',
    ])
  })

  test.each<[string, string, string]>([
    [
      'an address off this host in the clear',
      '{ listen: 0.0.0.0:8490, sqlite: r.db }',
      'listen: not a loopback address: give tls a certificateFile and a keyFile (registry.yaml:1)',
    ],
    ['no database', '{ maxKeys: 3 }', 'sqlite: missing: add it (registry.yaml:1)'],
    [
      'nothing in it',
      '',
      '(file): not a mapping of members: begin with sqlite: ./var/registry.db (registry.yaml)',
    ],
    [
      'a member twice',
      'sqlite: a\nsqlite: b\n',
      '(file): not valid YAML: Map keys must be unique (registry.yaml:2)',
    ],
    [
      'half a slot',
      '{ sqlite: r.db, maxKeys: 1.5 }',
      'maxKeys: Invalid input: expected int, received number (registry.yaml:1)',
    ],
  ])('is refused with %s', (_, text, complaint) => {
    expect(complaintsOf(text)).toEqual([complaint])
  })

  test('that is not there says where one is', () => {
    expect(() => loadRegistryConfig('/nowhere/registry.yaml')).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message:
          '/nowhere/registry.yaml cannot be read (ENOENT): name a file with --config; README.md, "The embedded app registry", has one',
      }),
    )
  })
})
