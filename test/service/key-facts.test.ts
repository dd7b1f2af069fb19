import { describe, expect, test } from 'vitest'
import type { Key } from '../../src/keys/key.ts'
import { assertKeyFacts } from '../../src/service/key-facts.ts'
import { algorithm } from '../../src/signing/algorithms.ts'
import { insertKeyFacts } from '../../src/store/keys.ts'
import { keyOf, profileSettings } from '../support/grant.ts'
import { storeFile, storeOfThisTest } from '../support/store-file.ts'

const profile = profileSettings['generic-jwt']
const reports = keyOf('reports', { profile })
const named = (...keys: readonly Key[]) => new Map<string, Key>(keys.map((key) => [key.name, key]))

/** A store in which `reports` has had a version. */
async function store() {
  const opened = await storeOfThisTest(await storeFile())
  await opened.writeTransaction((transaction) => insertKeyFacts(transaction, reports, 1))
  return opened
}

describe('a key that exists keeps what it is for ever', () => {
  test.each<[string, Key]>([
    ['alg was ES256', { ...reports, algorithm: algorithm('ES384') }],
    ['vault was local', { ...reports, vault: 'aws' }],
    ['purpose was jwt', keyOf('reports')],
    ['profile was generic-jwt', { ...reports, profile: profileSettings['client-assertion'] }],
  ])('%s: a configuration that says otherwise is refused', async (words, changed) => {
    const refused = assertKeyFacts(await store(), named(changed))
    await expect(refused).rejects.toMatchObject({
      code: 'config_invalid',
      message: 'The configuration changes keys that exist',
    })
    await expect(refused).rejects.toMatchObject({
      details: {
        issues: expect.arrayContaining([
          {
            path: 'keys.reports',
            message: `${words} and is fixed for ever: restore it, or configure a key with another name`,
          },
        ]),
      },
    })
  })

  const app = (registry: string, name: string) => ({ kind: 'app', registry, app: name }) as const
  const manual = (system: 'github' | 'icr', url: string) =>
    ({ kind: 'manual', system, url }) as const
  const page = 'https://acme.example/keys'

  test.each<[string, Key['registry'], Key['registry']]>([
    ['registry was apps/blog', app('apps', 'blog'), app('apps', 'shop')],
    ['registry was apps/blog', app('apps', 'blog'), app('other', 'blog')],
    ['registry was apps/blog', app('apps', 'blog'), undefined],
    ['registry was none', undefined, app('apps', 'blog')],
    ['registry was manual:github', manual('github', page), manual('icr', page)],
    ['registry was manual:github', manual('github', page), app('manual:github', 'blog')],
  ])('%s: what verifiers rely on stays where it is', async (words, before, after) => {
    const opened = await storeOfThisTest(await storeFile())
    const key = { ...reports, registry: before }
    await opened.writeTransaction((transaction) => insertKeyFacts(transaction, key, 1))
    expect(await assertKeyFacts(opened, named(key))).toBeUndefined()
    const refused = assertKeyFacts(opened, named({ ...reports, registry: after }))
    await expect(refused).rejects.toMatchObject({
      code: 'config_invalid',
      details: {
        issues: [
          {
            path: 'keys.reports',
            message: `${words} and is fixed for ever: restore it, or configure a key with another name`,
          },
        ],
      },
    })
  })

  test('the page of a manual registry may move', async () => {
    const opened = await storeOfThisTest(await storeFile())
    const key = { ...reports, registry: manual('github', page) }
    await opened.writeTransaction((transaction) => insertKeyFacts(transaction, key, 1))
    const moved = { ...reports, registry: manual('github', `${page}/new`) }
    expect(await assertKeyFacts(opened, named(moved))).toBeUndefined()
  })

  test('everything that differs is told at once', async () => {
    const changed = { ...reports, vault: 'aws', algorithm: algorithm('ES384') }
    await expect(assertKeyFacts(await store(), named(changed))).rejects.toMatchObject({
      details: { issues: [expect.anything(), expect.anything()] },
    })
  })
})

describe('no contradiction', () => {
  test.each([
    ['the same key', named(reports)],
    [
      'an issuer that changes, which is no fact',
      named({ ...reports, profile: { ...profile, issuer: 'https://b' } }),
    ],
    ['a key that is no longer configured: it keeps its rows', named()],
    ['a key that the store does not know', named(reports, keyOf('documents'))],
  ])('%s', async (_, keys) => {
    await expect(assertKeyFacts(await store(), keys)).resolves.toBeUndefined()
  })
})
