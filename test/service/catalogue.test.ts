import { expect, test } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { spkiSha256 } from '../../src/keys/catalogue.ts'
import type { KeyVersion } from '../../src/keys/version.ts'
import { revokeDigests } from '../../src/service/catalogue.ts'
import { listVersions } from '../../src/store/versions.ts'
import { revocationOn } from '../support/command-deps.ts'
import { addVersions, storeFile, storeOfThisTest, versionOf } from '../support/store-file.ts'

const standby = (n: number) => versionOf('blog', n, { state: 'published', publishedAt: n })
const digestOf = ({ spki }: KeyVersion) => spkiSha256(spki ?? new Uint8Array())

async function storeWith(...versions: readonly KeyVersion[]) {
  const store = await storeOfThisTest(await storeFile())
  await addVersions(store, ...versions)
  const states = async () =>
    (await listVersions(store.connection)).map(({ key, n, state }) => `${key}@${n} ${state}`)
  return { store, states, deps: revocationOn(store).deps }
}

/** Holds whoever waits until as many do. */
function meeting(size: number) {
  const { promise, resolve } = Promise.withResolvers<void>()
  let here = 0
  return async () => {
    here += 1
    if (here === size) resolve()
    await promise
  }
}

test('every version that a catalogue revokes is in force before the release window of any is over', async () => {
  const versions = [versionOf('blog'), versionOf('docs'), versionOf('news')]
  const { deps, states } = await storeWith(...versions)
  const pause = meeting(versions.length)
  const ended = await revokeDigests({ ...deps, pause }, new Set(versions.map(digestOf)))
  expect(ended.revoked.map(({ version }) => version)).toEqual(['blog@1', 'docs@1', 'news@1'])
  expect(await states()).toEqual(['blog@1 revoked', 'docs@1 revoked', 'news@1 revoked'])
})

test('no version that the same catalogue revokes signs in between', async () => {
  const versions = [versionOf('blog'), standby(2), standby(3)] as const
  const { deps, states } = await storeWith(...versions)
  const digests = new Set([digestOf(versions[0]), digestOf(versions[1])])
  const ended = await revokeDigests({ ...deps, pause: meeting(2) }, digests)
  expect(ended.revoked).toMatchObject([
    { version: 'blog@2', before: 'published', promoted: undefined },
    { version: 'blog@1', before: 'active', promoted: 'blog@3' },
  ])
  expect(await states()).toEqual(['blog@1 revoked', 'blog@2 revoked', 'blog@3 active'])
})

test('one that cannot be revoked now keeps no other from it, and is reported', async () => {
  const versions = [versionOf('blog'), versionOf('docs')] as const
  const { deps, states } = await storeWith(...versions)
  let ids = 0
  const newId = (now: number) => {
    ids += 1
    if (ids === 1) throw new ServiceError('store_unavailable', 'The disk is full')
    return deps.newId(now)
  }
  const failing = { ...deps, newId }
  const ended = await revokeDigests(failing, new Set(versions.map(digestOf)))
  expect(ended).toMatchObject({
    revoked: [{ version: 'docs@1' }],
    unrevoked: [{ key: 'blog', error: { code: 'store_unavailable' } }],
  })
  expect(await states()).toEqual(['blog@1 active', 'docs@1 revoked'])
})
