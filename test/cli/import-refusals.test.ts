import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readdirSync, symlinkSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Home, homesOfThisFile, statesIn, withKey } from '../support/home.ts'
import {
  downloadedPem,
  githubFingerprint,
  put,
  withImportedKeys,
} from '../support/imported-keys.ts'
import { collected, main } from '../support/chancery.ts'
import { eventually } from '../support/serving.ts'

const homes = homesOfThisFile()
let home: Home
let pem: string

beforeAll(() => {
  home = homes.copy()
  home.edit((text) => withImportedKeys(text))
  const mac = 'mac: { vault: local, alg: HS256, source: imported, purpose: bytes }'
  home.edit((text) => withKey(text, mac))
  pem = downloadedPem(home)
})

const secret = 'a secret of 32 bytes from portal'
const good = () => ({ file: pem, name: githubFingerprint(pem) })

/** Each is refused before anything is uploaded or recorded, with words of its own. */
async function refusal(args: readonly string[], input?: string) {
  const ran = await home.run(['import', ...args], input === undefined ? {} : { input })
  expect(statesIn(home)).toEqual(['first-key@1 active'])
  expect(readdirSync(home.at('vault')).every((name) => name.startsWith('first-key'))).toBe(true)
  return { exitCode: ran.exitCode, stderr: ran.stderr }
}

const refused = (exitCode: number, words: string) => ({
  exitCode,
  stderr: expect.stringContaining(words),
})

describe('files', () => {
  test('that others can read', async () => {
    const file = put(home, 'open.pem', 'x')
    chmodSync(file, 0o644)
    const words = `${file} is open to other users: chmod 600 ${file}`
    expect(await refusal(['bot', '--pem', file])).toEqual(refused(3, words))
    expect(await refusal(['face', '--secret', file, '--key-id', 'k'])).toEqual(refused(3, words))
    expect(await refusal(['face', '--csv', file])).toEqual(refused(3, words))
  })

  test('that are not there, and links', async () => {
    const missing = await refusal(['bot', '--pem', '/nowhere/x.pem'])
    expect(missing).toEqual(refused(2, '/nowhere/x.pem does not exist'))
    const link = `${home.directory}/link.pem`
    symlinkSync(pem, link)
    expect(await refusal(['bot', '--pem', link])).toEqual(refused(3, 'is a symbolic link'))
  })

  test('that are too large', async () => {
    const file = put(home, 'large.pem', Buffer.alloc(70_000))
    expect(await refusal(['bot', '--pem', file])).toEqual(refused(3, 'is larger than 65536 bytes'))
    const piped = await refusal(['bot', '--pem', '-'], 'x'.repeat(70_000))
    expect(piped).toEqual(refused(2, 'stdin has more than 65536 bytes'))
  })
})

describe('keys', () => {
  test('that make their own versions, or are not there', async () => {
    const { file } = good()
    expect(await refusal(['first-key', '--pem', file])).toEqual(refused(3, 'source: imported'))
    expect(await refusal(['nobody', '--pem', file])).toEqual(refused(3, 'no key nobody'))
  })

  test('that take another kind', async () => {
    const asked = await refusal(['face', '--pem', pem, '--key-id', 'k'])
    expect(asked).toEqual(refused(3, 'face signs HS256, which takes a secret'))
    const other = await refusal(['seal', '--pem', pem])
    expect(other).toEqual(refused(3, 'The key does not fit seal, ES256: not an EC key'))
  })

  test('whose key id is missing, or too much', async () => {
    expect(await refusal(['face', '--secret', '-'], secret)).toEqual(refused(2, 'needs --key-id'))
    const bot = await refusal(['bot', '--pem', pem, '--key-id', 'k'])
    expect(bot).toEqual(refused(2, 'bot has no key ids: leave --key-id away'))
    const csv = await refusal(['mac', '--csv', '-'], `id,secret\nk-1,${secret}\n`)
    expect(csv).toEqual(refused(2, 'name a file of the secret alone with --secret, no --csv'))
    const regenerated = await refusal(['bot', '--pem', pem, '--regenerated'])
    expect(regenerated).toEqual(refused(2, 'import the next one without --regenerated'))
    const space = await refusal(['face', '--secret', '-', '--key-id', 'a b'], secret)
    expect(space).toEqual(refused(2, 'no space'))
  })
})

describe('command lines', () => {
  test.each([
    [['bot'], 'Name one of --pem, --secret and --csv'],
    [['bot', '--pem', 'a', '--secret', 'b'], 'Name one of --pem, --secret and --csv'],
    [['bot', '--pem', '-', '--delete-source'], 'stdin cannot be deleted'],
    [['face', '--secret', 'a', '--secret-encoding', 'rot13'], 'Allowed choices are utf8, base64'],
    [['bot', '--pem', 'a', '--expect', 'SHA256:abc='], 'needs the name of its format'],
    [['bot', '--pem', 'a', '--expect', 'github=abc'], 'is no github fingerprint'],
  ])('%o', async (args, words) => {
    expect(await refusal(args)).toEqual(refused(2, words))
  })
})

describe('what is in the files', () => {
  test.each([
    ['nothing', '', 'The key file is empty'],
    ['a cut PEM', '-----BEGIN RSA PRIVATE KEY-----\nMIIE', 'is cut off: its END line is missing'],
    ['a certificate', '-----BEGIN CERTIFICATE-----\n', 'holds a certificate'],
    ['a public key', '-----BEGIN PUBLIC KEY-----\n', 'holds only the public half'],
  ])('%s', async (_, text, words) => {
    expect(await refusal(['bot', '--pem', '-'], text)).toEqual(refused(2, words))
  })

  test('an encrypted PEM where nobody can be asked', async () => {
    const options = ['pkcs8', '-topk8', '-passout', 'pass:abcd', '-in', pem]
    const encrypted = execFileSync('openssl', options, { encoding: 'utf8' })
    // Without a terminal of its own: setsid leaves the one that the tests may have been started from.
    const args = [main, '--config', home.configFile, 'import', 'bot', '--pem', '-']
    const run = () =>
      execFileSync('setsid', ['--wait', process.execPath, ...args], {
        input: encrypted,
        encoding: 'utf8',
        stdio: ['pipe', 'pipe', 'pipe'],
      })
    expect(run).toThrow('The key file is encrypted: run this in a terminal')
  })

  test('a secret that is too short, and one of another encoding', async () => {
    const short = await refusal(['face', '--secret', '-', '--key-id', 'k'], 'short')
    expect(short).toEqual(refused(3, 'The secret is too short: 5 bytes'))
    const hex = ['face', '--secret', '-', '--key-id', 'k', '--secret-encoding', 'hex']
    expect(await refusal(hex, 'xyz')).toEqual(refused(2, 'The secret is not hex'))
  })

  test('a CSV whose columns are ambiguous', async () => {
    const asked = await refusal(['face', '--csv', '-'], 'a,b\n1,2\n')
    expect(asked).toEqual(refused(2, 'The CSV file has no column for the key id'))
  })

  test('RSA-1024', async () => {
    const weak = downloadedPem(home, 'weak.pem', 1024)
    expect(await refusal(['bot', '--pem', weak])).toEqual(refused(3, 'RSA smaller than 2048 bits'))
  })
})

test('a pair that another key already uses', async () => {
  const other = homes.copy()
  other.edit((text) => withImportedKeys(text))
  expect((await other.run(['import', 'bot', '--pem', pem])).exitCode).toBe(0)
  const second = await other.run(['import', 'icr', '--pem', pem])
  expect(second).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('This key is already bot@1: each key needs its own'),
  })
})

test('an encrypted PEM in a terminal: the passphrase is asked for, and not shown', async () => {
  const other = homes.copy()
  other.edit((text) => withImportedKeys(text))
  const options = ['pkcs8', '-topk8', '-passout', 'pass:open sesame', '-in', pem]
  const file = put(other, 'encrypted.pem', execFileSync('openssl', options))
  const words = [
    process.execPath,
    main,
    '--config',
    other.configFile,
    'import',
    'bot',
    '--pem',
    file,
  ]
  const command = words.map((word) => `'${word}'`).join(' ')
  // `script` gives the command a terminal of its own, on which its stdin is typed.
  const terminal = spawn('script', ['-qec', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const [shown, ended] = [collected(terminal.stdout), once(terminal, 'close')]
  const question = 'The passphrase of the key file: '
  await Promise.race([eventually(() => shown().includes(question)), ended])
  terminal.stdin.write('open sesameX\x7f\r')
  await ended
  expect(shown()).toContain('bot@1 is imported')
  expect(shown()).not.toContain('sesame')
})
