import { createRemoteJWKSet, jwtVerify } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { homesOfThisFile, statesIn } from '../support/home.ts'
import { publicAlgorithmNames } from '../support/memory-key.ts'
import { publishing, type Publishing } from '../support/publishing.ts'
import { registryHomesOfThisFile } from '../support/registry-home.ts'
import type { Serving } from '../support/serving.ts'

/** `registry serve`, `rotate` and `serve`, each a process, and a verifier who knows the registry only. */

const homes = homesOfThisFile()
const registryHome = registryHomesOfThisFile()

const nameOf = (alg: string) => `key-${alg.toLowerCase()}`
const isRsa = (alg: string) => !alg.startsWith('E')
const keys = [
  ...publicAlgorithmNames.map((alg) => ({
    name: nameOf(alg),
    alg,
    more: isRsa(alg) ? ', modulusBits: 2048' : '',
  })),
  { name: 'contentful-blog', app: 'blog', alg: 'RS256', profile: 'contentful-app', issuer: 'blog' },
]

let asked: Publishing
let rotated: { readonly exitCode: number | null; readonly document: unknown }
beforeAll(async () => {
  asked = await publishing(homes.copy(), registryHome(), keys)
  rotated = await asked.home.json(['rotate'])
})

const protectedHeader = z.object({ alg: z.string(), typ: z.string(), kid: z.string() })
const shown = z.object({
  kid: z.string(),
  version: z.int(),
  state: z.string(),
  fingerprints: z.object({ contentful: z.string() }),
})

async function fingerprintOf({ signUrl }: Serving, key: string) {
  const headers = { Authorization: `Bearer ${asked.home.apiKey}` }
  const response = await fetch(`${signUrl}/v1/keys/${key}/fingerprint`, { headers })
  return shown.parse(await response.json())
}

test('the first versions are made, published and activated, in this order', () => {
  expect(rotated).toMatchObject({ exitCode: 0, document: { waits: [], tasks: [], failures: [] } })
  expect(rotated.document).toMatchObject({
    steps: keys.flatMap(({ name }) =>
      ['generated', 'published', 'activated'].map((step) => ({ version: `${name}@1`, step })),
    ),
  })
  expect(statesIn(asked.home)).toEqual(
    [...keys, { name: 'first-key' }].map(({ name }) => `${name}@1 active`).toSorted(),
  )
})

test('header, fingerprint endpoint and JWKS agree on the kid, and jose verifies by the JWKS alone', async () => {
  await using serving = await asked.home.serve()
  const seen = new Map<string, unknown>()
  for (const { name, alg } of keys.slice(0, -1)) {
    const { status, body } = await serving.ask(name, { claims: { sub: 'hello' } })
    expect([name, status]).toEqual([name, 200])
    const jwks = createRemoteJWKSet(new URL(asked.jwksUrl(name)))
    const verified = await jwtVerify(body.jwt ?? '', jwks, { algorithms: [alg] })
    const fingerprint = await fingerprintOf(serving, name)
    const { kid } = protectedHeader.parse(verified.protectedHeader)
    expect(verified.payload).toMatchObject({ sub: 'hello', iss: 'https://acme.example' })
    expect([body.kid, fingerprint.kid, fingerprint.fingerprints.contentful]).toEqual([
      kid,
      kid,
      kid,
    ])
    expect(await asked.jwksKids(name)).toEqual([kid])
    seen.set(alg, verified.protectedHeader)
  }
  expect([...seen.keys()]).toEqual(publicAlgorithmNames)
  await serving.stop()
})

test('contentful-app: an RSA-4096 key, an app token of ten minutes, verified by the registry', async () => {
  await using serving = await asked.home.serve()
  const { status, body } = await serving.ask('contentful-blog', { claims: {} })
  expect(status).toBe(200)
  const jwks = createRemoteJWKSet(new URL(asked.jwksUrl('blog')))
  const { payload, protectedHeader: header, key } = await jwtVerify(body.jwt ?? '', jwks)
  expect(header).toEqual({ alg: 'RS256', typ: 'JWT', kid: body.kid })
  expect(payload).toEqual({ iss: 'blog', iat: payload.iat, exp: (payload.iat ?? 0) + 600 })
  expect(key).toMatchObject({ algorithm: { modulusLength: 4096 } })
  await serving.stop()
})

test('a second run has nothing to do, and asks no registry', async () => {
  const stopped = await publishing(homes.copy(), registryHome(), [{ name: 'alone' }])
  expect((await stopped.home.run(['rotate'])).exitCode).toBe(0)
  await stopped.registry.stop()
  expect(await stopped.home.run(['rotate'])).toEqual({
    exitCode: 0,
    stdout: 'nothing is due\n',
    stderr: '',
  })
})

test('the audit tells of each step: made, published, active', async () => {
  const { exitCode, stdout } = await asked.home.run(['audit', 'verify'])
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 })
})

describe('two keys in one app', () => {
  test('are both verified by its JWKS, and neither is unknown to the other', async () => {
    const both = [
      { name: 'old', app: 'shared' },
      { name: 'new', app: 'shared', alg: 'EdDSA' },
    ]
    const { home, jwksKids } = await publishing(homes.copy(), registryHome(), both)
    expect((await home.run(['rotate'])).exitCode).toBe(0)
    expect(await jwksKids('shared')).toHaveLength(2)
    expect((await home.json(['sync'])).document).toMatchObject({
      verdict: 'done',
      steps: [],
      keys: both.map(({ name: key }) => ({
        key,
        verdict: 'known',
        missing: [],
        ended: [],
        differing: [],
        unknownKids: [],
        used: [],
      })),
      failures: [],
      orphans: [],
    })
  })
})
