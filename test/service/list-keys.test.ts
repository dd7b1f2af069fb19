import { createPublicKey } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { describe, expect, test } from 'vitest'
import type { Key } from '../../src/keys/key.ts'
import { listKeys, publicForms } from '../../src/service/list-keys.ts'
import { insertSuspension } from '../../src/store/suspensions.ts'
import { houseKeys } from '../support/house.ts'
import { memoryKey, memoryKeyPair } from '../support/memory-key.ts'
import { heldVersion } from '../support/signing-service.ts'
import { addVersions, storeFile, storeOfThisTest } from '../support/store-file.ts'

const { reports, mac, empty } = houseKeys
const configured = new Map<string, Key>([reports, mac, empty].map((key) => [key.name, key]))
const old = heldVersion(reports, {
  memory: memoryKey('ES256', 'other'),
  state: 'revoked',
  endedAt: 9,
}).version
const now = heldVersion(reports, { n: 2 }).version
const secret = heldVersion(mac).version

async function filled() {
  const store = await storeOfThisTest(await storeFile())
  await addVersions(store, now, old, secret)
  return store
}

describe('the list of keys', () => {
  test('has every key of the configuration and of the store, by name', async () => {
    const store = await filled()
    const partly = new Map([...configured].filter(([name]) => name !== 'mac'))
    const list = await listKeys(store, partly)
    expect(list.map(({ key, configured: isConfigured }) => [key, isConfigured])).toEqual([
      ['empty', true],
      ['mac', false],
      ['reports', true],
    ])
  })

  test('says what a key is, and shows every version it ever had, oldest first', async () => {
    const [, , listed] = await listKeys(await filled(), configured)
    expect(listed).toEqual({
      key: 'reports',
      vault: 'local',
      alg: 'ES256',
      purpose: 'jwt',
      profile: 'generic-jwt',
      source: 'generated',
      methods: [],
      configured: true,
      versions: [
        expect.objectContaining({ version: 'reports@1', state: 'revoked', endedAt: 9 }),
        {
          version: 'reports@2',
          state: 'active',
          suspended: false,
          source: 'generated',
          custody: 'software',
          kid: now.kid,
          createdAt: 0,
          madeBy: 'ada@host',
          activatedAt: 0,
          endedAt: undefined,
          pending: [],
          fingerprints: expect.objectContaining({ rfc7638: now.kid }),
        },
      ],
    })
  })

  test('does not say where a version lives', async () => {
    expect(JSON.stringify(await listKeys(await filled(), configured))).not.toContain('resource')
  })

  test('a symmetric version has no fingerprints', async () => {
    const [, listed] = await listKeys(await filled(), configured)
    expect(listed?.versions).toMatchObject([{ kid: 'mac@1', fingerprints: {} }])
  })

  test.each([
    [{ kind: 'key', name: 'reports' }, ['reports@1', 'reports@2']],
    [{ kind: 'version', name: 'reports@2' }, ['reports@2']],
    [{ kind: 'everything', name: '*' }, ['mac@1', 'reports@1', 'reports@2']],
    [{ kind: 'caller', name: 'reports' }, []],
  ] as const)('marks what %j suspends', async (subject, suspended) => {
    const store = await filled()
    await insertSuspension(store.connection, { ...subject, reason: 'a test', at: 0 })
    const versions = (await listKeys(store, configured)).flatMap((key) => key.versions)
    const marked = versions.filter((version) => version.suspended).map(({ version }) => version)
    expect(marked).toEqual(suspended)
  })
})

describe('the public half of the version that signs', () => {
  test('as JWK and as PEM, for verifiers', async () => {
    const { jwk, pem } = await publicForms(await filled(), 'reports')
    const { publicKey } = memoryKeyPair('ES256')
    expect(Object.keys(jwk).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    expect(jwk).toMatchObject({ kid: now.kid, alg: 'ES256', use: 'sig' })
    expect(await calculateJwkThumbprint(jwk)).toBe(now.kid)
    expect(createPublicKey(pem).equals(publicKey.object)).toBe(true)
    expect(pem).toMatch(/^-----BEGIN PUBLIC KEY-----\n[^]*\n-----END PUBLIC KEY-----\n$/)
  })

  test.each([
    ['empty', 'empty has no version that signs: run `chancery rotate empty`'],
    ['nobody', 'nobody has no version that signs: run `chancery rotate nobody`'],
    ['mac', 'mac is symmetric: it has no public half'],
  ])('%s has none', async (key, message) => {
    await expect(publicForms(await filled(), key)).rejects.toMatchObject({
      code: 'refused',
      message,
    })
  })
})
