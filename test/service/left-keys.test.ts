import { describe, expect, test } from 'vitest'
import { tasksOfLeftKeys } from '../../src/service/left-keys.ts'
import { confirmDeleted } from '../../src/service/confirm.ts'
import { revoke } from '../../src/service/revoke.ts'
import type { KeyVersion } from '../../src/keys/version.ts'
import { openEntries, openEntry } from '../../src/store/journal.ts'
import { insertKeyFacts, listKeyFacts } from '../../src/store/keys.ts'
import { insertVersion, listVersions } from '../../src/store/versions.ts'
import { recordsOf, revocationOn } from '../support/command-deps.ts'
import { keyOf, profileSettings } from '../support/grant.ts'
import { storeFile, storeOfThisTest, versionOf } from '../support/store-file.ts'

/** Keys that have versions, and that the configuration no longer has. */

const registered = keyOf('blog', {
  profile: profileSettings['generic-jwt'],
  registry: { kind: 'app', registry: 'apps', app: 'blog' },
})
const none = new Map<string, unknown>()

async function storeWith(...versions: readonly KeyVersion[]) {
  const store = await storeOfThisTest(await storeFile())
  await store.writeTransaction(async (transaction) => {
    await insertKeyFacts(transaction, registered, 1)
    for (const version of versions) {
      if (version.key !== 'blog') await insertKeyFacts(transaction, keyOf(version.key), 1)
      await insertVersion(transaction.connection, version)
    }
  })
  const { connection } = store
  const tasks = async (configured = none) =>
    tasksOfLeftKeys(await listVersions(connection), await listKeyFacts(connection), configured)
  const open = async () => (await openEntries(connection)).map(({ step, n }) => `${step} ${n}`)
  const unreachable = { disable: () => Promise.reject(new Error('no such vault')) }
  const { deps } = revocationOn(store, { disablerOf: async () => unreachable })
  await revoke(
    { ...deps, isConfigured: async () => false },
    { version: 'blog@1', reason: 'a leak' },
  )
  return { store, deps, tasks, open }
}

describe('a version of it that has ended', () => {
  test('is a task for a human, who finds there what to do where', async () => {
    const { tasks } = await storeWith(versionOf('blog', 1, { kid: 'a-kid', resource: 'a-file' }))
    expect(await tasks()).toEqual([
      {
        key: 'blog',
        version: 'blog@1',
        kind: 'delete',
        why: 'it is revoked, and the configuration no longer has its key: nothing else puts it away',
        steps: [
          'Delete the key with the id a-kid from its registry, apps/blog',
          'Disable a-file in the vault local',
          'chancery confirm blog@1 --deleted',
          'Or put blog back into the configuration, and run: chancery rotate',
        ],
        url: undefined,
        shows: undefined,
      },
    ])
    expect(await tasks(new Map([['blog', registered]]))).toEqual([])
  })

  test('is put away by the word of a human: nothing stays open, and the audit says so', async () => {
    const { store, deps, tasks, open } = await storeWith(versionOf('blog'))
    await store.writeTransaction((transaction) =>
      openEntry(transaction, { id: 'an-id', step: 'publish', key: 'blog', n: 1, at: 1 }),
    )
    expect(new Set(await open())).toEqual(new Set(['publish 1', 'withdraw 1', 'disable 1']))
    const word = { version: 'blog@1' }
    const confirmed = { ...word, before: 'revoked', after: 'revoked', isGone: true }
    expect(await confirmDeleted(deps, new Map(), word)).toEqual(confirmed)
    expect([await tasks(), await open()]).toEqual([[], []])
    const [version] = await listVersions(store.connection)
    const at = deps.clock.now()
    expect(version).toMatchObject({ state: 'revoked', withdrawnAt: at, disabledAt: at })

    expect(await confirmDeleted(deps, new Map(), word)).toEqual(confirmed)
    const records = (await recordsOf(store)).filter(({ command }) => command === 'confirm')
    expect(records).toMatchObject([
      {
        subject: 'blog@1',
        actor: 'anna@bastion',
        reason: 'deleted at its registry and in its vault',
        before: 'revoked',
        after: 'revoked',
      },
    ])
  })

  test('leaves what is open of other versions as it is', async () => {
    const { store, deps, open } = await storeWith(
      versionOf('blog'),
      versionOf('blog', 2, { state: 'revoked' }),
    )
    await store.writeTransaction((transaction) =>
      openEntry(transaction, { id: 'an-id', step: 'disable', key: 'blog', n: 2, at: 1 }),
    )
    await confirmDeleted(deps, new Map(), { version: 'blog@1' })
    expect(await open()).toEqual(['disable 2'])
  })
})

test('one that has not ended is revoked before it can be confirmed away', async () => {
  const { deps, tasks } = await storeWith(
    versionOf('blog'),
    versionOf('blog', 2, { state: 'retiring' }),
  )
  await expect(confirmDeleted(deps, new Map(), { version: 'blog@2' })).rejects.toMatchObject({
    code: 'refused',
    message: 'The configuration has no key blog any more: put it back, or revoke blog@2 first',
  })
  expect((await tasks()).map(({ version }) => version)).toEqual(['blog@1'])
})

test('only what is left to do is told: nobody has to know some keys, and Terraform disables some', async () => {
  const knownAnswer = new Uint8Array(32)
  const retired = { state: 'retired' } as const
  const { tasks } = await storeWith(
    versionOf('blog', 1, { disabledAt: 1, withdrawnAt: 1 }),
    versionOf('blog', 2, { ...retired, withdrawnAt: 1 }),
    versionOf('docs', 1, retired),
    versionOf('docs', 2, { ...retired, disabledAt: 1 }),
    versionOf('docs', 3, { ...retired, source: 'provisioned' }),
    versionOf('docs', 4, { state: 'revoked', source: 'provisioned' }),
    versionOf('mac', 1, { ...retired, algorithm: 'HS256', spki: undefined, knownAnswer }),
  )
  const told = (await tasks()).map(({ version, steps }) => [version, steps.length])
  expect(told).toEqual([
    ['blog@2', 3],
    ['docs@1', 3],
    ['docs@4', 3],
    ['mac@1', 3],
  ])
})
