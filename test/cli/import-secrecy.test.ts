import { createPrivateKey, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { fingerprintsOfFile } from '../../src/service/fingerprint-file.ts'
import { awsEnvironment, withAwsVault } from '../support/aws-vault.ts'
import { type Canary, type Haystack, leaks } from '../support/canaries.ts'
import type { Finished } from '../support/chancery.ts'
import { fakeKms } from '../support/fake-kms.ts'
import { homesOfThisFile } from '../support/home.ts'
import {
  downloadedPem,
  githubFingerprint,
  icrFingerprint,
  put,
  withImportedKeys,
} from '../support/imported-keys.ts'
import { filesOf } from '../support/planted-session.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

const homes = homesOfThisFile()

/** The private exponent, a prime, and a line in the middle of the PEM: whatever shows, one of these does. */
function canariesOf(pem: string): readonly Canary[] {
  const text = readFileSync(pem, 'utf8')
  const { d = '', p = '' } = createPrivateKey(text).export({ format: 'jwk' })
  return [
    { name: 'private exponent', secret: Buffer.from(d, 'base64url') },
    { name: 'prime', secret: Buffer.from(p, 'base64url') },
    { name: 'line of the PEM', secret: Buffer.from(text.split('\n')[10] ?? '') },
  ]
}

const heard = ({ stdout, stderr }: Finished): readonly Haystack[] => [
  { name: 'stdout', content: Buffer.from(stdout) },
  { name: 'stderr', content: Buffer.from(stderr) },
]

test('no key and no secret shows in anything that imports, good and bad ones, write or send', async () => {
  await using kms = await fakeKms()
  const home = homes.copy()
  home.edit((text) => withImportedKeys(withAwsVault(text, kms.endpoint), 'aws'))
  const pem = downloadedPem(home)
  const secret = randomBytes(24).toString('base64url')
  const [file, csv] = [
    put(home, 'secret', secret),
    put(home, 'keys.csv', `id,secret\nk-2,${secret}`),
  ]
  const canaries = [...canariesOf(pem), { name: 'secret', secret: Buffer.from(secret) }]
  const env = awsEnvironment
  const damaged = put(home, 'damaged', readFileSync(pem, 'utf8').replace('MII', 'MXX'))
  const said: Haystack[] = []
  const run = async (...command: readonly string[]) => {
    const ran = await home.run(['import', ...command], { env })
    said.push(...heard(ran))
    return ran.exitCode
  }
  const codes = [
    await run('bot', '--pem', damaged),
    await run('bot', '--secret', pem),
    await run('face', '--secret', pem, '--key-id', 'k-1'),
    await run('face', '--csv', pem),
    await run('face', '--csv', file),
    await run('face', '--secret', file, '--key-id', 'k-1', '--secret-encoding', 'hex'),
    await run('bot', '--pem', file),
    await run('bot', '--pem', pem, '--expect', `github=${'A'.repeat(43)}=`),
    await run('bot', '--pem', pem),
    await run('face', '--secret', file, '--key-id', 'k-1'),
    await run('face', '--csv', csv),
  ]
  expect(codes).toEqual([2, 2, 2, 2, 2, 2, 2, 3, 0, 0, 3])
  const sources = [pem, file, csv, damaged].map((path) => basename(path))
  const files = filesOf(home).filter(({ name }) => !sources.includes(basename(name)))
  const sent = { name: 'requests', content: Buffer.from(JSON.stringify(kms.requests)) }
  expect(files.map(({ name }) => name)).toContain('var/chancery.db')
  expect(leaks([...said, ...files, sent], canaries)).toEqual([])
  // The search finds what is there.
  const own = filesOf(home).filter(({ name }) => sources.includes(basename(name)))
  expect(leaks(own, canaries).map((leak) => leak.replace(/ in .*/, ''))).toEqual(
    expect.arrayContaining(['line of the PEM raw', 'secret raw']),
  )
})

describe('fingerprints are those of the commands in the documents', () => {
  test.each([2048, 3072, 4096])('of GitHub and of ICR, for RSA of %i bits', (bits) => {
    const pem = downloadedPem(homes.copy(), 'downloaded.pem', bits)
    const { fingerprints } = fingerprintsOfFile(readFileSync(pem))
    expect(fingerprints.github).toBe(`SHA256:${githubFingerprint(pem)}`)
    expect(fingerprints.icr).toBe(icrFingerprint(pem))
  })
})
