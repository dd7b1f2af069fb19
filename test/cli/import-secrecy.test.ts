import { createPrivateKey, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fingerprintsOfFile } from '../../src/service/fingerprint-file.ts'
import { awsEnvironment, withAwsVault } from '../support/aws-vault.ts'
import { azureFiles, withAzureVault } from '../support/azure-vault.ts'
import { type Canary, type Haystack, leaks } from '../support/canaries.ts'
import type { Finished, StartOptions } from '../support/chancery.ts'
import { fakeKeyVault, type FakeKeyVault } from '../support/fake-key-vault.ts'
import { fakeKms } from '../support/fake-kms.ts'
import { figure } from '../support/figure.ts'
import { type Home, homesOfThisFile } from '../support/home.ts'
import { importLeaks } from '../support/import-seeds.ts'
import {
  downloadedPem,
  githubFingerprint,
  icrFingerprint,
  put,
  withImportedKeys,
} from '../support/imported-keys.ts'
import { filesOf } from '../support/planted-session.ts'
import { assertSeeded, seeded } from '../support/seeded.ts'

const homes = homesOfThisFile()

/** The private exponent, a prime, and a line in the middle of each PEM: whatever shows, one of these does. */
function canariesOf(pem: string): readonly Canary[] {
  const text = readFileSync(pem, 'utf8')
  const key = createPrivateKey(text)
  const { d = '', p = '' } = key.export({ format: 'jwk' })
  const other = String(key.export({ type: 'pkcs8', format: 'pem' }))
  return [
    { name: 'private exponent', secret: Buffer.from(d, 'base64url') },
    { name: 'prime', secret: Buffer.from(p, 'base64url') },
    { name: 'line of the PEM', secret: Buffer.from(text.split('\n')[10] ?? '') },
    { name: 'line of the PKCS#8', secret: Buffer.from(other.split('\n')[10] ?? '') },
  ]
}

const named = (name: string, text: string): Haystack => ({ name, content: Buffer.from(text) })
const heard = ({ stdout, stderr }: Finished) => [named('stdout', stdout), named('stderr', stderr)]

/** What a team has in its hands before it imports: the only files that may hold a key. */
function downloads(home: Home) {
  const pem = downloadedPem(home)
  const secret = randomBytes(24).toString('base64url')
  const file = put(home, 'secret', secret)
  const csv = put(home, 'keys.csv', `id,secret\nk-2,${secret}`)
  const damaged = put(home, 'damaged', readFileSync(pem, 'utf8').replace('MII', 'MXX'))
  const canaries = [...canariesOf(pem), { name: 'secret', secret: Buffer.from(secret) }]
  const sources = [pem, file, csv, damaged].map((path) => basename(path))
  return { pem, file, csv, damaged, canaries, sources }
}

function toFiles(home: Home): Home {
  home.edit((text) => withImportedKeys(text))
  return home
}

/** Pairs go there; secrets cannot, and stay in files. */
function toAzure(home: Home, vault: FakeKeyVault): Home {
  const files = azureFiles(vault, home.directory)
  home.edit((text) => withImportedKeys(withAzureVault(text, vault, files), 'azure', 'local'))
  return home
}

/** Every kind of bad import, and the good ones; then what looks at them, and signs. */
async function session(home: Home, options: StartOptions = {}) {
  const { pem, file, csv, damaged, canaries, sources } = downloads(home)
  const temporary = join(home.directory, 'tmp')
  mkdirSync(temporary)
  const env = { ...awsEnvironment, ...options.env, TMPDIR: temporary }
  const said: Haystack[] = []
  const run = async (...command: readonly string[]) => {
    const ran = await home.run(command, { ...options, env })
    assertSeeded(ran)
    said.push(...heard(ran))
    return ran.exitCode
  }
  const codes = [
    await run('import', 'bot', '--pem', damaged),
    await run('import', 'bot', '--secret', pem),
    await run('import', 'face', '--secret', pem, '--key-id', 'k-1'),
    await run('import', 'face', '--csv', pem),
    await run('import', 'face', '--csv', file),
    await run('import', 'face', '--secret', file, '--key-id', 'k-1', '--secret-encoding', 'hex'),
    await run('import', 'bot', '--pem', file),
    await run('import', 'bot', '--pem', pem, '--expect', `github=${'A'.repeat(43)}=`),
    await run('import', 'bot', '--pem', pem, '--expect', `github=${githubFingerprint(pem)}`),
    await run('import', 'face', '--secret', file, '--key-id', 'k-1'),
    await run('import', 'face', '--csv', csv),
  ]
  expect(codes).toEqual([2, 2, 2, 2, 2, 2, 2, 3, 0, 0, 3])
  for (const look of [['tasks'], ['keys', 'show', 'bot'], ['audit', 'verify']]) {
    expect(await run(...look)).toBe(0)
  }
  await using serving = await home.serve({ env })
  for (const [key, claims] of Object.entries({ bot: {}, face: { fingerprint: 'a device' } })) {
    const { status, body } = await serving.ask(key, { claims })
    expect(status).toBe(200)
    said.push(named('answer', JSON.stringify(body)))
  }
  said.push(named('metrics', await (await fetch(`${serving.opsUrl}/metrics`)).text()))
  const files = filesOf(home)
  said.push(...heard(await serving.stop()))
  const isSource = ({ name }: Haystack) => sources.includes(name)
  return {
    canaries,
    written: [...said, ...files.filter((one) => !isSource(one))],
    own: files.filter(isSource),
  }
}

const bytesOf = (hay: readonly Haystack[]) =>
  hay.reduce((sum, { content }) => sum + content.length, 0)

describe('no key and no secret shows in anything that imports, good and bad ones, write or send', () => {
  test('to AWS KMS', async () => {
    await using kms = await fakeKms()
    const home = homes.copy()
    home.edit((text) => withImportedKeys(withAwsVault(text, kms.endpoint), 'aws'))
    const { canaries, written, own } = await session(home)
    const sent = named('requests', JSON.stringify(kms.requests))
    expect(searched('aws-kms', [...written, sent], canaries)).toEqual([])
    // The search finds what is there.
    expect(leaks(own, canaries).map((leak) => leak.replace(/ in .*/, ''))).toEqual(
      expect.arrayContaining(['line of the PEM raw', 'secret raw']),
    )
  })

  test('to Azure Key Vault, which is sent a pair once, as it is, over TLS', async () => {
    await using vault = await fakeKeyVault()
    const { canaries, written } = await session(toAzure(homes.copy(), vault))
    const isImport = ({ action }: { action: string }) => action === 'ImportKey'
    const sent = (requests: readonly object[]) => named('requests', JSON.stringify(requests))
    const others = sent(vault.requests.filter((request) => !isImport(request)))
    expect(searched('azure-key-vault', [...written, others], canaries)).toEqual([])
    // The search finds what is there.
    const imports = vault.requests.filter(isImport)
    expect(imports).toHaveLength(1)
    expect(leaks([sent(imports)], canaries)).toEqual(
      expect.arrayContaining([
        'private exponent in base64url in requests',
        'prime in base64url in requests',
      ]),
    )
  })

  test('to files', async () => {
    const { canaries, written } = await session(toFiles(homes.copy()))
    expect(searched('local', written, canaries)).toEqual([])
  })

  test.each([
    ['files', toFiles],
    ['Azure Key Vault', toAzure],
  ])('to %s, and a key in the audit, or in a temporary file, would be found', async (_, to) => {
    await using vault = await fakeKeyVault()
    const home = to(homes.copy(), vault)
    const { canaries, written } = await session(home, seeded(...Object.keys(importLeaks)))
    // What is in the log of the database comes into the database itself sooner or later.
    const places = (leak: string) =>
      leak.replace(/tmp\/\d+$/, 'tmp').replace(/var\/chancery\.db.*$/, 'the store')
    expect(leaks(written, canaries).map(places)).toEqual(
      expect.arrayContaining([
        'line of the PKCS#8 raw in the store',
        'secret in base64 in the store',
        'line of the PEM raw in tmp',
        'secret raw in tmp',
      ]),
    )
  })
})

/** What leaks; and how much was looked at, for whoever reads the run. */
function searched(vault: string, written: readonly Haystack[], canaries: readonly Canary[]) {
  const bytes = bytesOf(written)
  const places = `${bytes} bytes of ${written.length} outputs and files`
  figure(`import to ${vault}: ${canaries.length} canaries in ${places}`)
  expect(bytes).toBeGreaterThan(150_000)
  expect(written.map(({ name }) => name)).toContain('var/chancery.db')
  return leaks(written, canaries)
}

describe('fingerprints are those of the commands in the documents', () => {
  test.each([2048, 3072, 4096])('of GitHub and of ICR, for RSA of %i bits', (bits) => {
    const pem = downloadedPem(homes.copy(), 'downloaded.pem', bits)
    const { fingerprints } = fingerprintsOfFile(readFileSync(pem))
    expect(fingerprints.github).toBe(`SHA256:${githubFingerprint(pem)}`)
    expect(fingerprints.icr).toBe(icrFingerprint(pem))
  })
})
