import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Home, homesOfThisFile, withKey } from '../support/home.ts'

const homes = homesOfThisFile()
const who = ['--caller', 'first-caller', '--key', 'first-key']
const because = ['--reason', 'a test']

/** The command on claims that stand in a file. */
function claimsIn({ directory }: Home, text: string): readonly string[] {
  const file = join(directory, 'claims.json')
  writeFileSync(file, text)
  return ['explain', ...who, '--claims', file]
}

const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

describe('explain', () => {
  test.concurrent('says what would be signed, and by which grant: exit 0', async () => {
    const home = homes.copy()
    const command = claimsIn(home, '{"sub":"hello"}')
    const { exitCode, stdout, stderr } = await home.run(command)
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      /^ALLOWED {2}grants\[0\] lets first-caller sign-claims with first-key\nsigns {4}first-key@1\nheader {3}\{"alg":"ES256","typ":"JWT","kid":"[\w-]+"\}\npayload {2}\{.*"sub":"hello"\}\nexpires {2}\S+Z\n$/,
    )
    expect(await home.json(command)).toEqual({
      exitCode: 0,
      document: {
        caller: 'first-caller',
        key: 'first-key',
        operation: 'sign-claims',
        grant: 'grants[0]',
        verdict: 'allow',
        version: 'first-key@1',
        header: expect.stringContaining('"alg":"ES256"'),
        payload: expect.stringContaining('"sub":"hello"'),
        expiresAt: instant,
      },
      stderr: '',
    })
  })

  test.concurrent('reads stdin for -', async () => {
    const home = homes.copy()
    const input = { input: '{"sub":"hello"}' }
    const { exitCode } = await home.run(['explain', ...who, '--claims', '-'], input)
    expect(exitCode).toBe(0)
    const text = await home.run(['explain', ...who, '--signing-input', '-'], { input: 'a.b\n' })
    expect(text.exitCode).toBe(3)
    expect(text.stdout).toContain('because  malformed_signing_input: ')
  })

  test.concurrent('of messages and digests says which version signs them', async () => {
    const home = homes.copy()
    home.edit((text) => withKey(text, 'documents: { vault: local, alg: RS256, purpose: bytes }'))
    home.edit(
      (text) =>
        `${text}  - { caller: first-caller, key: documents, operations: [sign-message, sign-digest] }\n`,
    )
    await home.run(['rotate'])
    const asked = ['explain', '--caller', 'first-caller', '--key', 'documents']
    const digest = { input: `${'A'.repeat(43)}\n` }
    const { exitCode, stdout } = await home.run([...asked, '--digest', '-'], digest)
    expect([exitCode, stdout]).toEqual([
      0,
      'ALLOWED  grants[1] lets first-caller sign-digest with documents\nsigns    documents@1\nexpires  never\n',
    ])
    const message = await home.json([...asked, '--message', '-'], { input: 'any bytes' })
    expect(message.document).toEqual({
      caller: 'first-caller',
      key: 'documents',
      operation: 'sign-message',
      grant: 'grants[1]',
      verdict: 'allow',
      version: 'documents@1',
      expiresAt: null,
    })
    const short = await home.run([...asked, '--digest', '-'], { input: 'AAAA' })
    expect(short).toMatchObject({ exitCode: 3 })
    expect(short.stdout).toContain('malformed_request: RS256 signs a digest of 32 bytes')
  })

  test.concurrent('names the rule that refuses: exit 3', async () => {
    const home = homes.copy()
    const command = claimsIn(home, '{"sub":"hello","other":1}')
    expect(await home.run(command)).toMatchObject({
      exitCode: 3,
      stdout:
        'REFUSED  grants[0] lets first-caller sign-claims with first-key\n' +
        'because  claims_refused, rule other.unlisted: The rule other.unlisted refused the claims\n',
    })
    expect((await home.json(command)).document).toMatchObject({
      verdict: 'refuse',
      code: 'claims_refused',
      rule: 'other.unlisted',
      grant: 'grants[0]',
    })
    expect((await home.json(claimsIn(home, '{"sub":"a","iss":"me"}'))).document).toMatchObject({
      code: 'claim_not_allowed',
      claim: 'iss',
    })
  })

  test.concurrent('opens no vault: it needs neither its files nor its master key', async () => {
    const home = homes.copy()
    rmSync(home.at('vault'), { recursive: true })
    rmSync(home.at('master.key'))
    rmSync(home.at('audit-digest.key'))
    expect((await home.run(claimsIn(home, '{"sub":"a"}'))).exitCode).toBe(0)
  })

  test.concurrent.each([
    ['caller', 'nobody', 'The configuration has no caller nobody: name one of callers'],
    ['key', 'nothing', 'key_not_found: No such key'],
  ])('a %s that the configuration does not have is refused: exit 3', async (what, name, words) => {
    const home = homes.copy()
    const command = [...claimsIn(home, '{"sub":"a"}'), `--${what}`, name]
    const { exitCode, stdout, stderr } = await home.run(command)
    expect(exitCode).toBe(3)
    expect(stdout + stderr).toContain(words)
  })

  test.concurrent.each<[string, (home: Home) => readonly string[], string]>([
    ['claims that are no JSON', (home) => claimsIn(home, '{"sub"'), 'not one JSON value'],
    ['a claim twice', (home) => claimsIn(home, '{"sub":"a","sub":"b"}'), 'not one JSON value'],
    ['claims that are a list', (home) => claimsIn(home, '[]'), 'claims: an object of claims'],
    [
      'bytes that are no text',
      (home) => [...claimsIn(home, '\xff').slice(0, -1), home.at('master.key')],
      '',
    ],
    ['no such file', () => ['explain', ...who, '--claims', '/nowhere'], '/nowhere cannot be read'],
    [
      'neither claims nor an input',
      () => ['explain', ...who],
      'Name one of --claims, --signing-input, --message and --digest',
    ],
    ['both', (home) => [...claimsIn(home, '{}'), '--signing-input', '-'], 'Name one of --claims'],
    ['no caller', () => ['explain', '--key', 'a', '--claims', '-'], '--caller'],
    ['no key', () => ['explain', '--caller', 'a', '--claims', '-'], '--key'],
  ])('%s is a wrong use of it: exit 2', async (_, command, words) => {
    const home = homes.copy()
    const { exitCode, stdout, stderr } = await home.run(command(home))
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toContain(words)
  })

  test.concurrent.each([
    [['suspend', 'key', 'first-key'], 'suspended'],
    [['suspend', 'version', 'first-key@1'], 'suspended'],
    [['suspend', 'caller', 'first-caller'], 'suspended'],
    [['suspend', 'everything'], 'suspended'],
    [['revoke', 'first-key@1'], 'no_active_version'],
  ])('after %j it refuses, as the service does', async (command, code) => {
    const home = homes.copy()
    await using serving = await home.serve()
    expect((await home.run([...command, ...because])).exitCode).toBe(0)
    const answer = await serving.ask('first-key', { claims: { sub: 'a' } })
    const { exitCode, document } = await home.json(claimsIn(home, '{"sub":"a"}'))
    // The service may not have looked at the store again: its intent's transaction has.
    expect([code, 'version_revoked']).toContain(answer.body.code)
    expect([exitCode, document]).toEqual([3, expect.objectContaining({ code })])
  })
})

describe('what a configuration is warned of', () => {
  const idle = '  idle: { apiKeys: [{ id: ABCDEFGHIJ, sha256: ' + 'ab'.repeat(32) + ' }] }\n'
  const path = 'callers.idle'
  const message = expect.stringContaining('it may do nothing: add a grant, or remove it')

  test.concurrent('is printed by config check, which exits 0', async () => {
    const home = homes.copy()
    home.edit((text) => text.replace('callers:\n', `callers:\n${idle}`))
    const { exitCode, document } = await home.json(['config', 'check'])
    expect([exitCode, document]).toEqual([
      0,
      expect.objectContaining({ warnings: [{ path, message }] }),
    ])
    const { stdout } = await home.run(['config', 'check'])
    expect(stdout).toMatch(/\nwarning: callers\.idle: it may do nothing: .*chancery\.yaml:\d+\)\n$/)
  })

  test.concurrent('is logged by serve when it starts', async () => {
    const home = homes.copy()
    home.edit((text) => text.replace('callers:\n', `callers:\n${idle}`))
    await using serving = await home.serve()
    const { stderr } = await serving.stop()
    const lines: unknown[] = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const warning = { level: 'warn', event: 'configuration', path, message }
    expect(lines).toContainEqual(expect.objectContaining(warning))
  })
})
