import { rmSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { chancery, documentOf } from '../support/chancery.ts'
import { homesOfThisFile } from '../support/home.ts'

const homes = homesOfThisFile()

describe('a command line that cannot be meant is refused with exit 2, and one document', () => {
  test.concurrent.each([
    ['no command', [], 'Name a command'],
    ['half a command', ['keys'], 'Name a command'],
    ['an unknown command', ['frobnicate'], "unknown command 'frobnicate'"],
    ['an unknown flag', ['keys', 'list', '--all'], "unknown option '--all'"],
    ['a flag without its value', ['--config'], "option '--config <file>' argument missing"],
    ['a missing argument', ['keys', 'show'], "missing required argument 'key'"],
    ['an excess argument', ['keys', 'list', 'a'], "too many arguments for 'list'"],
    ['no reason', ['revoke', 'a@1'], "required option '--reason <text>' not specified"],
    ['a blank reason', ['suspend', 'everything', '--reason', ' '], 'Say why.'],
    ['two forms', ['keys', 'show', 'a', '--jwk', '--pem'], "cannot be used with option '--pem'"],
    ['nothing to find', ['audit', 'find'], 'Name one of --jwt and --message'],
    ['a bad name of a caller', ['callers', 'new-key', 'Blog'], 'a caller name is a-z'],
  ])('%s', async (_, args, words) => {
    const ran = await chancery(['--json', ...args])
    expect(ran.exitCode).toBe(2)
    expect(documentOf(ran)).toEqual({
      error: { code: 'usage', message: expect.stringContaining(words), issues: [] },
    })
    expect(ran.stderr).not.toBe('')
  })
})

test.concurrent('without --json a refusal prints nothing on stdout', async () => {
  const ran = await chancery(['keys', 'list', '--all'])
  expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
  expect(ran.stderr).toContain("error: unknown option '--all'")
})

test.concurrent.each([['migrate'], ['rebuild']])(
  '`%s` is of a later part, and nothing acts as if it were here',
  async (...args) => {
    const ran = await chancery(args)
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ran.stderr).toMatch(/^error: unknown (?:command|option)/)
  },
)

test.concurrent('--help names every command there is, and no other', async () => {
  const { exitCode, stdout, stderr } = await chancery(['--help'])
  expect([exitCode, stderr]).toEqual([0, ''])
  const names = [...stdout.matchAll(/^ {2}([a-z]+)(?: |$)/gm)].map(([, name]) => name)
  const service = ['init', 'serve', 'demo', 'config', 'explain', 'callers', 'keys', 'fingerprint']
  const others = [
    'sync',
    'catalogue',
    'rotate',
    'revoke',
    'suspend',
    'resume',
    'audit',
    'vault',
    'import',
    'confirm',
    'tasks',
    'registry',
    'help',
  ]
  expect(names).toEqual([...service, ...others])
})

describe('the configuration', () => {
  test.each([
    ['--config', ['--config', './named.yaml'], {}, 'named'],
    ['CHANCERY_CONFIG', [], { CHANCERY_CONFIG: './named.yaml' }, 'named'],
    [
      '--config before CHANCERY_CONFIG',
      ['--config', './named.yaml'],
      { CHANCERY_CONFIG: '/nowhere' },
      'named',
    ],
    ['./chancery.yaml, where nothing is said', [], {}, 'dev'],
  ] as const)('is found by %s', async (_, args, env, environment) => {
    const { directory: cwd, at } = home()
    rmSync(at('chancery.db'))
    const ran = await chancery([...args, '--json', 'config', 'check'], { env, cwd })
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
    expect(documentOf(ran)).toMatchObject({ environment })
  })

  test('that is not there is exit 2, and says how to get one', async () => {
    const { at } = home()
    const ran = await chancery(['keys', 'list'], { cwd: at('vault') })
    const remedy = 'name a file with --config, or make one with `chancery init`'
    expect(ran).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `chancery: ./chancery.yaml cannot be read (ENOENT): ${remedy}\n`,
    })
  })

  /** With a second configuration beside its own. */
  function home() {
    const copy = homes.copy()
    copy.edit((text) => text.replace('environment: dev', 'environment: named'), 'named.yaml')
    return copy
  }
})
