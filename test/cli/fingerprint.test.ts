import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { chancery, documentOf } from '../support/chancery.ts'
import { fingerprintVectors } from '../support/vectors.ts'

const root = mkdtempSync(join(tmpdir(), 'chancery-fingerprint-'))
afterAll(() => rmSync(root, { recursive: true }))

type Vector = (typeof fingerprintVectors.vectors)[number]

/** What openssl, ssh-keygen and coreutils made of the key. */
function expected({ expected: { sshSha256, ...made } }: Vector) {
  return {
    contentful: made.contentfulKid,
    github: made.githubDisplay,
    icr: made.icr,
    rfc7638: made.jwkThumbprint,
    ...(sshSha256 ? { ssh: sshSha256 } : {}),
    'spki-sha256-hex': made.spkiSha256HexColon,
  }
}

const [first, second] = fingerprintVectors.vectors
if (!first || !second) throw new Error('no vectors')

const certified = z.object({ vectors: z.array(z.object({ certificatePem: z.string() })) })
const vectorFile = new URL('../vectors/fingerprint-vectors.json', import.meta.url)
const certificates = certified.parse(JSON.parse(readFileSync(vectorFile, 'utf8'))).vectors

test.concurrent.each(fingerprintVectors.vectors)(
  'the PEM of vector $name has the fingerprints of other tools, without a configuration',
  async (vector) => {
    const file = join(root, `${vector.name}.pem`)
    writeFileSync(file, vector.publicPem)
    const ran = await chancery(['fingerprint', file, '--json'], { cwd: root })
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
    expect(documentOf(ran)).toEqual({ fingerprints: expected(vector) })
  },
)

describe('other forms of a key, from stdin', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const forms = {
    'a JWK': JSON.stringify(first.jwk),
    'a certificate': certificates[0]?.certificatePem ?? '',
    DER: new Uint8Array(Buffer.from(first.publicDerBase64, 'base64')),
  }

  test.concurrent.each(Object.entries(forms))('%s', async (_, input) => {
    const ran = await chancery(['--json', 'fingerprint', '-'], { input })
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
    expect(documentOf(ran)).toEqual({ fingerprints: expected(first) })
  })

  test.concurrent.each([
    ['a private key as PEM', privateKey.export({ type: 'pkcs8', format: 'pem' })],
    ['a private key as JWK', JSON.stringify(privateKey.export({ format: 'jwk' }))],
  ])('%s gives those of its public half, and nothing else of it', async (_, input) => {
    const ran = await chancery(['fingerprint', '-'], { input })
    const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
    const sha256 = createHash('sha256').update(spki).digest('base64')
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ran.stdout).toMatch(new RegExp(`^.*\\ncontentful +\\S{43}\\ngithub +SHA256:`))
    expect(ran.stdout).toContain(sha256)
    const { d = 'none' } = privateKey.export({ format: 'jwk' })
    expect(ran.stdout).not.toContain(d)
  })
})

describe('--format', () => {
  const file = join(root, 'format.pem')
  writeFileSync(file, second.publicPem)

  const some = Object.entries(expected(second)).filter(([name]) => /icr|ssh|hex/.test(name))
  test.concurrent.each(some)('%s prints one alone', async (format, value) => {
    expect(await chancery(['fingerprint', file, '--format', format])).toEqual({
      exitCode: 0,
      stdout: `${value}\n`,
      stderr: '',
    })
  })

  test.concurrent('with --json it is a document', async () => {
    const ran = await chancery(['--json', 'fingerprint', file, '--format', 'github'])
    expect(documentOf(ran)).toEqual({ fingerprints: { github: expected(second).github } })
  })

  test.concurrent('that is unknown is refused with exit 2, and every name', async () => {
    const ran = await chancery(['--json', 'fingerprint', file, '--format', 'md5'])
    expect(ran.exitCode).toBe(2)
    expect(documentOf(ran)).toMatchObject({
      error: {
        code: 'usage',
        message: '--format is one of contentful, github, icr, rfc7638, ssh, spki-sha256-hex',
      },
    })
  })
})

test.concurrent.each([
  [
    'a file that is not there',
    join(root, 'nothing'),
    '',
    `${join(root, 'nothing')} cannot be read (ENOENT)`,
  ],
  ['nothing at all', '-', '', 'The file holds no key that can be read: '],
  ['something else', '-', 'chn_canary_that_is_no_key', 'The file holds no key that can be read: '],
  [
    'a symmetric JWK',
    '-',
    '{"kty":"oct","k":"c2VjcmV0LWNhbmFyeQ"}',
    'The file holds no key that can be read: ',
  ],
])('%s is refused with exit 2, and not shown', async (_, file, input, words) => {
  const ran = await chancery(['fingerprint', file], { input })
  expect(ran).toMatchObject({ exitCode: 2, stdout: '' })
  expect(ran.stderr).toContain(`chancery: ${words}`)
  expect(ran.stderr).not.toMatch(/canary|c2VjcmV0/)
})
