import { expect, test } from 'vitest'
import type { Key } from '../../src/keys/key.ts'
import { insertKeyFacts } from '../../src/store/keys.ts'
import { changeState, listVersions } from '../../src/store/versions.ts'
import { keyOf, profileNames, profileSettings } from '../support/grant.ts'
import {
  addVersions,
  rawOfThisTest,
  storeFile,
  storeOfThisTest,
  versionOf,
} from '../support/store-file.ts'

const tooMany = 'one version of a key is active, or as many as its profile allows'

const keys: readonly (readonly [what: string, key: Key, activeMax: number])[] = [
  ['of purpose bytes', keyOf('documents'), 1],
  ...profileNames.map((name) => {
    const key = keyOf(name, { profile: profileSettings[name] })
    return [`of profile ${name}`, key, name === 'api-key-token' ? 2 : 1] as const
  }),
]

test.each(keys)(
  'a key %s has as many active versions as its tokens can tell apart',
  async (_, key, most) => {
    const file = await storeFile()
    const store = await storeOfThisTest(file)
    const raw = rawOfThisTest(file)
    await store.writeTransaction(async (transaction) => insertKeyFacts(transaction, key, 1_000))
    const active = Array.from({ length: most }, (_each, i) => versionOf(key.name, i + 1))
    const next = versionOf(key.name, most + 1, { state: 'published' })
    // The other key must not matter.
    await addVersions(store, versionOf('other'), ...active, next)

    const states = async () =>
      (await listVersions(store.connection))
        .filter((version) => version.key === key.name)
        .map(({ state }) => state)
    const before = [...active.map(() => 'active'), 'published']
    await expect(addVersions(store, versionOf(key.name, most + 2))).rejects.toThrow(tooMany)
    await expect(
      store.writeTransaction(async ({ connection }) =>
        changeState(connection, next, 'active', 2_000),
      ),
    ).rejects.toThrow(tooMany)
    for (const verb of ['update', 'update or replace', 'update or ignore']) {
      expect(() => raw.exec(`${verb} versions set state = 'active' where n = ${next.n}`)).toThrow(
        tooMany,
      )
    }
    expect(await states()).toEqual(before)

    // Once one of them signs no more, there is room.
    const [first] = active
    if (!first) throw new TypeError('one is active')
    await store.writeTransaction(async ({ connection }) => {
      await changeState(connection, first, 'retiring', 3_000)
      await changeState(connection, next, 'active', 3_000)
    })
    expect(await states()).toEqual(['retiring', ...before.slice(1, -1), 'active'])
  },
)
