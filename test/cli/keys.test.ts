import { createHash, createPublicKey } from 'node:crypto'
import { exportJWK } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Finished } from '../support/chancery.ts'
import { type Home, homesOfThisFile, withKey } from '../support/home.ts'

const homes = homesOfThisFile()

/** One key signs, one is symmetric, one has no version, one is no longer configured. */
let home: Home
beforeAll(async () => {
  home = homes.copy()
  home.edit((text) => withKey(text, 'mac: { vault: local, alg: HS256, purpose: bytes }'))
  home.edit((text) => withKey(text, 'gone: { vault: local, alg: EdDSA, purpose: bytes }'))
  await home.run(['rotate'])
  home.edit((text) => text.replace(/\n {2}gone: .*/, ''))
  home.edit((text) => withKey(text, 'empty: { vault: local, alg: ES384, purpose: bytes }'))
})

const publicJwk = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  kid: z.string(),
  alg: z.literal('ES256'),
  use: z.literal('sig'),
})

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
const times = { createdAt: time, activatedAt: time, endedAt: null }
const madeBy = expect.stringContaining('@')
const base = { state: 'active', suspended: false, source: 'generated', custody: 'software' }
const signing = { ...base, ...times, madeBy, pending: [] }

describe('keys list', () => {
  test('shows every key of the configuration and of the store', async () => {
    const { exitCode, document, stderr } = await home.json(['keys', 'list'])
    expect([exitCode, stderr]).toEqual([0, ''])
    const names = ['contentful', 'github', 'icr', 'rfc7638', 'ssh', 'spki-sha256-hex']
    const all = Object.fromEntries(names.map((name) => [name, expect.any(String)]))
    const { ssh: _, ...withoutSsh } = all
    const configured = { source: 'generated', methods: [], configured: true }
    expect(document).toEqual({
      keys: [
        {
          key: 'empty',
          vault: 'local',
          alg: 'ES384',
          purpose: 'bytes',
          ...configured,
          versions: [],
        },
        {
          key: 'first-key',
          vault: 'local',
          alg: 'ES256',
          purpose: 'jwt',
          profile: 'generic-jwt',
          ...configured,
          versions: [
            { version: 'first-key@1', ...signing, kid: expect.any(String), fingerprints: all },
          ],
        },
        {
          key: 'gone',
          vault: 'local',
          alg: 'EdDSA',
          methods: [],
          configured: false,
          versions: [
            {
              version: 'gone@1',
              ...signing,
              kid: expect.any(String),
              fingerprints: expect.objectContaining(withoutSsh),
            },
          ],
        },
        {
          key: 'mac',
          vault: 'local',
          alg: 'HS256',
          purpose: 'bytes',
          ...configured,
          versions: [{ version: 'mac@1', ...signing, kid: 'mac@1', fingerprints: {} }],
        },
      ],
    })
  })

  test('says for people what to do about a key without a version, and one that is not configured', async () => {
    const { exitCode, stdout } = await home.run(['keys', 'list'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('empty  ES384, bytes, in local  no version: run `chancery rotate`\n')
    expect(stdout).toContain('gone  EdDSA, in local  not in the configuration: answers 404\n')
    expect(stdout).toMatch(
      /^ {2}first-key@1 {2}active {2}software {2}created 20\S+Z {2}signs since 20\S+Z {2}kid \S{43}$/m,
    )
  })
})

describe('keys show', () => {
  let jwk: Finished
  let pem: Finished
  beforeAll(async () => {
    jwk = await home.run(['keys', 'show', 'first-key', '--jwk'])
    pem = await home.run(['keys', 'show', 'first-key', '--pem'])
  })

  test('--jwk is the public JWK alone, clean by RFC 7517, with --json or without', async () => {
    const json = await home.run(['--json', 'keys', 'show', 'first-key', '--jwk'])
    expect(jwk).toMatchObject({ exitCode: 0, stderr: '' })
    expect(json).toEqual(jwk)
    publicJwk.parse(JSON.parse(jwk.stdout))
  })

  test('--pem is the same key', async () => {
    const json = await home.json(['keys', 'show', 'first-key', '--pem'])
    expect(pem).toMatchObject({ exitCode: 0, stderr: '' })
    expect(json.document).toEqual({ pem: pem.stdout })
    const { kid: _, alg: __, use: ___, ...members } = publicJwk.parse(JSON.parse(jwk.stdout))
    expect(await exportJWK(createPublicKey(pem.stdout))).toEqual(members)
  })

  test('names every fingerprint, which anyone can work out from the PEM', async () => {
    const shown = await home.run(['keys', 'show', 'first-key'])
    const spki = createPublicKey(pem.stdout).export({ type: 'spki', format: 'der' })
    const sha256 = createHash('sha256').update(spki)
    expect(shown).toMatchObject({ exitCode: 0, stderr: '' })
    expect(shown.stdout).toContain(`\n    contentful       ${sha256.copy().digest('base64url')}\n`)
    expect(shown.stdout).toContain(`\n    github           SHA256:${sha256.digest('base64')}\n`)
    const icr = createHash('sha256').update(pem.stdout).digest('base64')
    expect(shown.stdout).toContain(`\n    icr              ${icr}\n`)
    expect(shown.stdout).toMatch(/\n {4}made by \S+@\S+\n/)
  })

  test.each([
    ['a key that is not there', ['nobody'], 'There is no key nobody: see `chancery keys list`'],
    ['the JWK of a symmetric key', ['mac', '--jwk'], 'mac is symmetric: it has no public half'],
    [
      'the PEM of a key without a version',
      ['empty', '--pem'],
      'empty has no version that signs: run `chancery rotate empty`',
    ],
  ])('%s is refused with exit 3', async (_, args, words) => {
    const { exitCode, document, stderr } = await home.json(['keys', 'show', ...args])
    expect(exitCode).toBe(3)
    expect(document).toEqual({ error: { code: 'refused', message: words, issues: [] } })
    expect(stderr).toBe(`chancery: ${words}\n`)
  })
})
