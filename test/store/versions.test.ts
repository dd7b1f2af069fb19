import { describe, expect, test } from 'vitest'
import type { ServiceError } from '../../src/errors.ts'
import { mayBecome, type VersionState, versionStates } from '../../src/keys/lifecycle.ts'
import type { Store } from '../../src/store/store.ts'
import {
  changeState,
  findVersion,
  listVersions,
  listVersionsOf,
  markVersion,
} from '../../src/store/versions.ts'
import {
  addVersions,
  auditOfThisTest,
  rawOfThisTest,
  storeFile,
  storeOfThisTest,
  versionOf,
} from '../support/store-file.ts'

async function storeWith(...versions: Parameters<typeof versionOf>[]) {
  const file = await storeFile()
  const store = await storeOfThisTest(file)
  await addVersions(store, ...versions.map((version) => versionOf(...version)))
  return { file, store, raw: rawOfThisTest(file) }
}

const move = (
  store: Store,
  version: Parameters<typeof changeState>[1],
  to: VersionState,
  at = 9_000,
) => store.writeTransaction(async ({ connection }) => changeState(connection, version, to, at))

async function statesIn({ connection }: Store): Promise<readonly string[]> {
  return (await listVersions(connection)).map(({ key, n, state }) => `${key}@${n} ${state}`)
}

describe('what is stored', () => {
  test('comes back as it was, by key and then oldest first', async () => {
    const { store } = await storeWith()
    const hmac = { algorithm: 'HS256', spki: undefined, knownAnswer: new Uint8Array(32) } as const
    const versions = [
      versionOf('blog', 1, { state: 'revoked', activatedAt: 5, endedAt: 6 }),
      versionOf('blog', 2),
      versionOf('blog', 10, { state: 'created' }),
      versionOf('docs', 1, hmac),
    ] as const
    await addVersions(store, versions[3], versions[2], versions[0], versions[1])
    expect(await listVersions(store.connection)).toEqual(versions)
    expect(await listVersionsOf(store.connection, 'blog')).toEqual(versions.slice(0, 3))
    expect(await findVersion(store.connection, 'blog', 10)).toEqual(versions[2])
    expect(await findVersion(store.connection, 'blog', 3)).toBeUndefined()
  })

  test('that something else has damaged is reported, never used', async () => {
    for (const damage of [
      `state = 'signing'`,
      `alg = 'none'`,
      `custody = 'safe'`,
      `source = 'x'`,
    ]) {
      const { store, raw, file } = await storeWith(['blog', 1], ['docs', 1])
      raw.exec('pragma ignore_check_constraints = on; drop trigger versions_keep_their_key_pair')
      raw.exec(`update versions set ${damage} where key = 'docs'`)
      const unreadable = {
        code: 'store_unavailable',
        message: 'The store holds a version that cannot be read',
      }
      await expect(listVersions(store.connection)).rejects.toMatchObject(unreadable)
      await expect(findVersion(store.connection, 'docs', 1)).rejects.toMatchObject(unreadable)
      const { audit } = auditOfThisTest(file)
      expect(() => audit.snapshot(undefined)).toThrow(expect.objectContaining(unreadable))
      expect(await findVersion(store.connection, 'blog', 1)).toMatchObject({ n: 1 })
    }
  })
})

describe('a key pair', () => {
  test('is that of one version, over all keys, also of those that are revoked', async () => {
    for (const state of versionStates) {
      const spki = new Uint8Array([1, 2, 3])
      const { store } = await storeWith(['blog', 1, { spki, state }])
      for (const again of [versionOf('blog', 2, { spki }), versionOf('docs', 1, { spki })]) {
        await expect(addVersions(store, again)).rejects.toMatchObject({
          code: 'refused',
          message: 'This key pair is already blog@1',
        })
      }
      expect(await statesIn(store)).toEqual([`blog@1 ${state}`])
    }
  })

  test('stays with its version, whoever writes', async () => {
    const { store, raw } = await storeWith(['blog', 1, { state: 'revoked' }])
    const before = await listVersions(store.connection)
    const changes = [`n = 2`, `key = 'x'`, `spki = x'00'`, `alg = 'RS256'`, `resource = 'x'`]
    for (const change of changes) {
      expect(() => raw.exec(`update versions set ${change}`)).toThrow(
        'a version keeps its name and its key pair',
      )
    }
    expect(await listVersions(store.connection)).toEqual(before)
  })

  test('is public, or there is a known answer; never both, never none', async () => {
    const { store } = await storeWith()
    const both = versionOf('blog', 1, { knownAnswer: new Uint8Array(32) })
    const none = versionOf('blog', 1, { spki: undefined })
    for (const version of [both, none]) {
      await expect(addVersions(store, version)).rejects.toThrow('CHECK constraint failed')
    }
  })
})

describe('a version', () => {
  test('is one of a key whose facts are stored', async () => {
    const { raw } = await storeWith(['blog', 1])
    raw.exec('pragma foreign_keys = on')
    expect(() => raw.exec(copyOfBlog({ key: `'other'`, n: 1 }))).toThrow('FOREIGN KEY')
  })

  test('is never deleted, and never replaced, whoever writes', async () => {
    const { store, raw } = await storeWith(['blog', 1, { state: 'revoked' }], ['blog', 2])
    const before = await listVersions(store.connection)
    const writes = [
      'delete from versions',
      `delete from versions where state = 'revoked'`,
      copyOfBlog({ n: 1, state: `'active'` }).replace('insert', 'insert or replace'),
      copyOfBlog({ n: 3, state: `'active'` }).replace('insert', 'insert or replace'),
      copyOfBlog({ n: 3, state: `'created'`, spki: 'spki' }).replace('insert', 'replace'),
      copyOfBlog({ n: 3, state: `'created'`, resource: 'resource' }).replace('insert', 'replace'),
      'update or replace versions set n = 2 where n = 1',
    ]
    for (const write of writes) {
      expect(() => raw.exec(write)).toThrow(/versions? (are never|keeps|of a key is active)/)
    }
    expect(await listVersions(store.connection)).toEqual(before)
  })

  test('is the only active one of its key, whoever writes', async () => {
    const { store, raw } = await storeWith(
      ['blog', 1],
      ['blog', 2, { state: 'published' }],
      ['docs', 1],
    )
    const [, second] = await listVersions(store.connection)
    if (!second) throw new Error('it was stored')
    await expect(move(store, second, 'active')).rejects.toThrow(
      'one version of a key is active, or as many as its profile allows',
    )
    await expect(addVersions(store, versionOf('blog', 3))).rejects.toThrow(
      'one version of a key is active',
    )
    for (const verb of ['update', 'update or replace', 'update or ignore']) {
      expect(() => raw.exec(`${verb} versions set state = 'active' where n = 2`)).toThrow(
        'one version of a key is active, or as many as its profile allows',
      )
    }
    expect(await statesIn(store)).toEqual(['blog@1 active', 'blog@2 published', 'docs@1 active'])
  })
})

describe('the life of a version', () => {
  const steps = versionStates.flatMap((from) => versionStates.map((to) => ({ from, to })))

  test('has the steps that the lifecycle has, and no other', async () => {
    const { store } = await storeWith()
    const versions = steps.map(({ from }, i) => versionOf(`key-${i}`, 1, { state: from }))
    await addVersions(store, ...versions)
    let taken = 0
    for (const [i, { from, to }] of steps.entries()) {
      const version = versions[i] ?? versionOf('none')
      const moved = move(store, version, to)
      const isStep = mayBecome(from, to)
      if (isStep) taken += 1
      await expect(isStep ? moved : refusal(moved)).resolves.toEqual(
        isStep ? undefined : `refused: A ${from} version cannot become ${to}`,
      )
      const state = isStep ? to : from
      expect(await findVersion(store.connection, version.key, 1)).toMatchObject({ state })
    }
    expect(taken).toBe(13)
  })

  test('ends with revoked, whoever writes', async () => {
    const { store, raw } = await storeWith(['blog', 1, { state: 'revoked', endedAt: 5 }])
    for (const to of versionStates.filter((state) => state !== 'revoked')) {
      for (const verb of ['update', 'update or replace', 'update or ignore']) {
        expect(() => raw.exec(`${verb} versions set state = '${to}'`)).toThrow(
          'a revoked version stays revoked',
        )
      }
    }
    expect(await statesIn(store)).toEqual(['blog@1 revoked'])
  })

  test('goes on from the state that it is in, not from one that was read before', async () => {
    const { store } = await storeWith(['blog', 1, { state: 'created' }])
    const [read] = await listVersions(store.connection)
    if (!read) throw new Error('it was stored')
    await move(store, read, 'revoked')
    for (const to of ['active', 'published', 'revoked'] as const) {
      await expect(move(store, read, to)).rejects.toMatchObject({
        code: 'refused',
        message: 'blog@1 is no longer created: look again',
      })
    }
    expect(await statesIn(store)).toEqual(['blog@1 revoked'])
  })

  test('keeps when each state began, for ever', async () => {
    const { store } = await storeWith(['blog', 1, { state: 'created' }])
    const one = async () => {
      const [version] = await listVersions(store.connection)
      if (!version) throw new Error('it was stored')
      return version
    }
    for (const [i, to] of (['published', 'active', 'retiring', 'retired'] as const).entries()) {
      await move(store, await one(), to, i + 1)
    }
    const lived = { publishedAt: 1, activatedAt: 2, retiringAt: 3, endedAt: 4 }
    expect(await one()).toMatchObject(lived)
    await move(store, await one(), 'destroyed', 5)
    expect(await one()).toMatchObject({ ...lived, state: 'destroyed' })
    await move(store, await one(), 'revoked', 6)
    expect(await one()).toMatchObject({ ...lived, state: 'revoked', endedAt: 6 })
  })

  test('keeps what its registry and its vault have done about it, whatever its state', async () => {
    const { store } = await storeWith(['blog', 1, { state: 'revoked' }], ['blog', 2])
    await store.writeTransaction(async ({ connection }) => {
      await markVersion(connection, { key: 'blog', n: 1 }, 'withdrawn', 7)
      await markVersion(connection, { key: 'blog', n: 1 }, 'disabled', 8)
      await markVersion(connection, { key: 'blog', n: 1 }, 'published', 9)
    })
    const marked = { withdrawnAt: 7, disabledAt: 8, publishedAt: 9, state: 'revoked' }
    const untouched = { withdrawnAt: undefined, disabledAt: undefined, publishedAt: undefined }
    expect(await listVersions(store.connection)).toMatchObject([marked, untouched])
  })
})

async function refusal(refused: Promise<unknown>): Promise<string> {
  return refused.then(String, ({ code, message }: ServiceError) => `${code}: ${message}`)
}

/** SQL as another tool would write it: blog@1 again, with some columns otherwise. */
function copyOfBlog(changed: Readonly<Record<string, string | number>>): string {
  const columns = {
    key: 'key',
    n: 'n',
    state: 'state',
    source: 'source',
    custody: 'custody',
    vault: 'vault',
    resource: `'another.json'`,
    alg: 'alg',
    spki: 'randomblob(91)',
    kid: 'kid',
    created_at: 'created_at',
    made_by: 'made_by',
    ...changed,
  }
  const names = Object.keys(columns).join(', ')
  const values = Object.values(columns).join(', ')
  return `insert into versions (${names}) select ${values} from versions where key = 'blog' and n = 1`
}
