import { describe, expect, test } from 'vitest'
import { createApp, createToken, revokeToken } from '../../../src/registry/server/desk.ts'
import { listApps } from '../../../src/registry/server/store/apps.ts'
import { findKey, listKeys } from '../../../src/registry/server/store/keys.ts'
import {
  holdServing,
  openRegistryStore,
  type RegistryStore,
} from '../../../src/registry/server/store/store.ts'
import { listTokens } from '../../../src/registry/server/store/tokens.ts'
import { contentfulJwk, orphanRsa, rfcJwk } from '../../support/registry-keys.ts'
import { keysPath, registryFile, registryStore, testRegistry } from '../../support/registry.ts'
import { identityOf, rawOfThisTest } from '../../support/store-file.ts'
import { openStore } from '../../../src/store/store.ts'

const desk = (store: RegistryStore, now = 1_000) => ({ store, actor: 'ops@host', now })

const rows = (file: string, query: string): readonly object[] =>
  rawOfThisTest(file)
    .prepare(query)
    .all()
    .map((row) => ({ ...row }))

describe('the record of changes', () => {
  test('says of every change who made it, by which right, what it was and when', async () => {
    const { file, ask, admin, clock } = await testRegistry()
    const { kid } = rfcJwk('ES256')
    await ask(keysPath(), { body: { jwk: rfcJwk('ES256') } })
    clock.advance(5)
    await ask(`${keysPath()}/${kid}`, { method: 'DELETE' })
    const id = admin.split('_')[1]
    const of = { actor: id, role: 'admin', organization: 'acme', app: 'blog', subject: kid }
    const at = clock.now() - 5
    expect(rows(file, 'select * from changes order by seq').slice(-2)).toMatchObject([
      { ...of, action: 'create key', at },
      { ...of, action: 'delete key', at: clock.now() },
    ])
    const byOperator = `select role, actor, action, organization, app from changes where seq <= 4`
    const ops = { role: 'operator', actor: 'ops@host', organization: 'acme' }
    expect(rows(file, byOperator)).toEqual([
      { ...ops, action: 'create app', app: 'blog' },
      { ...ops, action: 'create app', app: 'shop' },
      { ...ops, action: 'create app', organization: 'other', app: 'theirs' },
      { ...ops, action: 'create token', app: null },
    ])
  })

  test('holds a revocation once, however often it is asked for', async () => {
    const file = await registryFile()
    const store = await registryStore(file)
    const id = (await createToken(desk(store), 'acme', 'reader')).split('_')[1] ?? ''
    const revoked = { organization: 'acme', role: 'reader', id, revokedAt: 2_000 }
    expect(await revokeToken(desk(store, 2_000), id)).toEqual(revoked)
    expect(await revokeToken(desk(store, 3_000), id)).toEqual(revoked)
    const action = `select at, subject from changes where action = 'revoke token'`
    expect(rows(file, action)).toEqual([{ at: 2_000, subject: id }])
  })

  test('does not hold what was refused', async () => {
    const { file, ask, reader: token } = await testRegistry()
    const before = rows(file, 'select * from changes').length
    await ask(keysPath(), { body: { jwk: rfcJwk('ES256') }, token })
    await ask(keysPath(), { body: { jwk: {} } })
    await ask(`${keysPath()}/${'k'.repeat(43)}`, { method: 'DELETE' })
    expect(rows(file, 'select * from changes')).toHaveLength(before)
  })
})

describe('what is written cannot be', () => {
  test.each([
    ['a change taken back', 'delete from changes'],
    ['a change rewritten', `update changes set actor = 'nobody'`],
    [
      'a change replaced',
      `insert or replace into changes select seq, 0, actor, role, action, organization, app, subject from changes`,
    ],
    [
      'a change made by a reader',
      `insert into changes values (99, 0, 'a', 'reader', 'create key', 'acme', 'blog', 'k')`,
    ],
    ['a token deleted', 'delete from tokens'],
    ['a token made an admin', `update tokens set role = 'admin'`],
    ['a token exchanged', `update tokens set sha256 = x'00'`],
    ['a token replaced', 'insert or replace into tokens select * from tokens'],
    [
      'a revocation taken back',
      `update tokens set revoked_at = 5; update tokens set revoked_at = null`,
    ],
    ['a key exchanged', `update keys set spki = x'00'`],
    ['a key of no app', `insert into keys values ('k', 'none', 'ES256', 'rfc7517', x'00', 0, 'a')`],
  ])('%s', async (_, statement) => {
    const { file, ask } = await testRegistry()
    await ask(keysPath(), { body: { jwk: rfcJwk('ES256') } })
    const raw = rawOfThisTest(file)
    raw.exec('pragma foreign_keys = on')
    expect(() => raw.exec(statement)).toThrow(/constraint|kept|keeps|stays|never|written/i)
  })
})

describe('a database', () => {
  test('has everything again when it is opened the next time', async () => {
    const { ask, store, file } = await testRegistry()
    const jwks = [contentfulJwk(orphanRsa()), rfcJwk('PS512'), rfcJwk('EdDSA')]
    for (const jwk of jwks) await ask(keysPath(), { body: { jwk } })
    const everything = async ({ connection }: RegistryStore) => [
      await listApps(connection, undefined),
      await listKeys(connection, 'blog'),
      await listTokens(connection, undefined),
    ]
    const before = await everything(store)
    expect(before.map(({ length }) => length)).toEqual([3, 3, 3])
    await store[Symbol.asyncDispose]()
    expect(await everything(await registryStore(file))).toEqual(before)
  })

  test('holds no token, only what proves it', async () => {
    const { file, store, admin, reader } = await testRegistry()
    await store[Symbol.asyncDispose]()
    const everything = JSON.stringify(rows(file, `select hex(sha256), t.* from tokens t`))
    for (const token of [admin, reader]) {
      expect(everything).not.toContain(token)
      expect(everything).not.toContain(token.split('_')[2])
      expect(everything).toContain(token.split('_')[1])
    }
  })

  test('of the service is refused, and left as it is', async () => {
    const file = await registryFile()
    await (await openStore(file, identityOf('A')))[Symbol.asyncDispose]()
    await expect(openRegistryStore(file)).rejects.toMatchObject({ code: 'store_mismatch' })
    expect(rows(file, `select name from sqlite_schema where name = 'apps'`)).toEqual([])
  })

  test('that is none says what to do', async () => {
    const file = `${await registryFile()}/is/no/directory`
    await expect(openRegistryStore(file)).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('check that its directory exists'),
    })
  })

  test('is served by one process at a time, and by the next one when that has ended', async () => {
    const file = await registryFile()
    const first = holdServing(file)
    expect(() => holdServing(file)).toThrow(
      expect.objectContaining({
        code: 'store_unavailable',
        message: `Another \`registry serve\` serves ${file}: stop it, or configure another sqlite`,
      }),
    )
    first[Symbol.dispose]()
    holdServing(file)[Symbol.dispose]()
  })

  test('answers readers while somebody else writes', async () => {
    const { file, ask, store } = await testRegistry()
    const raw = rawOfThisTest(file)
    raw.exec('begin immediate')
    expect((await ask(keysPath())).status).toBe(200)
    expect(await findKey(store.connection, 'blog', 'none')).toBeUndefined()
    raw.exec('rollback')
  })
})

describe('an app', () => {
  test('has its name for an id, and another one where that is taken by another organization', async () => {
    const store = await registryStore(await registryFile())
    expect(await createApp(desk(store), 'acme', 'reports')).toBe('reports')
    expect(await createApp(desk(store), 'other', 'reports')).toBe('reports-2')
    expect(await createApp(desk(store), 'third', 'reports')).toBe('reports-3')
    await expect(createApp(desk(store), 'acme', 'reports')).rejects.toMatchObject({
      code: 'refused',
      message: 'acme has an app reports: see `chancery registry app list`',
    })
  })

  test.each(['', '.', '..', 'a/b', 'a b', '-a', 'ä', 'a'.repeat(61), 'a\n', '%41'])(
    'is not named %j, and neither is an organization',
    async (name) => {
      const store = await registryStore(await registryFile())
      const usage = { code: 'usage' }
      await expect(createApp(desk(store), 'acme', name)).rejects.toMatchObject(usage)
      await expect(createApp(desk(store), name, 'blog')).rejects.toMatchObject(usage)
      await expect(createToken(desk(store), name, 'admin')).rejects.toMatchObject(usage)
    },
  )
})
