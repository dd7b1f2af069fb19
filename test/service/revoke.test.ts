import { describe, expect, test, vi } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import { versionStates } from '../../src/keys/lifecycle.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { pause } from '../../src/lib/deadline.ts'
import { type Revocation, revoke } from '../../src/service/revoke.ts'
import { releaseWindowMs } from '../../src/service/release-window.ts'
import type { Store } from '../../src/store/store.ts'
import { insertSuspension } from '../../src/store/suspensions.ts'
import { findVersion } from '../../src/store/versions.ts'
import { recordsOf, revocationOn } from '../support/command-deps.ts'
import { isPending } from '../support/pending.ts'
import {
  addVersions,
  auditOfThisTest,
  rawOfThisTest,
  storeFile,
  storeOfThisTest,
  versionOf,
} from '../support/store-file.ts'

type Versions = ReturnType<typeof versionOf>

const standby = { state: 'published' } as const
const because = { version: 'blog@1', reason: 'a leak' }

async function storeWith(...versions: readonly Versions[]) {
  const file = await storeFile()
  const store = await storeOfThisTest(file)
  await addVersions(store, ...versions)
  return { file, store, ...revocationOn(store), stateOf: stateIn(store) }
}

/** What the first version of a key left behind about it. */
async function inRegistry({ connection }: Store, registry: string): Promise<void> {
  await connection.updateTable('keys').set({ registry }).execute()
}

const stateIn =
  (store: Awaited<ReturnType<typeof storeOfThisTest>>) => async (key: string, n: number) =>
    (await findVersion(store.connection, key, n))?.state

describe.each(versionStates.filter((state) => state !== 'revoked'))(
  'a version that is %s',
  (state) => {
    test('is revoked for ever, and the audit says by whom and why', async () => {
      const { deps, store, clock, stateOf } = await storeWith(versionOf('blog', 1, { state }))
      const at = clock.now()
      await expect(revoke(deps, because)).resolves.toMatchObject({
        version: 'blog@1',
        before: state,
      })
      expect(await findVersion(store.connection, 'blog', 1)).toMatchObject({
        state: 'revoked',
        endedAt: at,
      })
      const [first] = await recordsOf(store)
      expect(first).toEqual({
        type: 'command',
        command: 'revoke',
        at,
        actor: 'anna@bastion',
        subject: 'blog@1',
        reason: 'a leak',
        before: state,
        after: 'revoked',
      })
      expect(await stateOf('blog', 1)).toBe('revoked')
    })
  },
)

test('a version that is revoked stays so: nothing changes, and nothing is recorded again', async () => {
  const { deps, store, waits } = await storeWith(versionOf('blog'))
  await revoke(deps, because)
  await expect(revoke(deps, { ...because, reason: 'again' })).resolves.toMatchObject({
    before: 'revoked',
  })
  expect((await recordsOf(store)).map(({ reason }) => reason)).toEqual([
    'a leak',
    'disabled in its vault',
  ])
  expect(waits).toHaveLength(2)
})

test('whatever registry and vault are told by is asked for when it is in force', async () => {
  const { deps, store, stateOf } = await storeWith(versionOf('blog'))
  await inRegistry(store, 'app')
  const seen: Record<string, unknown> = {}
  const when = (name: string) => async () => {
    seen[name] = await stateOf('blog', 1)
    throw new Error('it is not there')
  }
  const behind = { registryOf: when('registry'), disablerOf: when('vault') }
  const isConfigured = () => when('key')().catch(() => true)
  await revoke({ ...deps, ...behind, isConfigured }, because)
  expect(seen).toEqual({ key: 'revoked', registry: 'revoked', vault: 'revoked' })
})

test('registry and vault have all of their time, however long the configuration takes', async () => {
  const { deps } = await storeWith(versionOf('blog'))
  const reading = pause(400)
  const isConfigured = () => reading.then(() => true)
  const disablerOf = () => reading.then(() => ({ disable: async () => {} }))
  const late = { ...deps, isConfigured, disablerOf, secondLineMs: 200 }
  expect(await revoke(late, because)).toMatchObject({ disabling: { verdict: 'done' } })
})

test('no other key is touched', async () => {
  const others = [versionOf('blog-2'), versionOf('docs'), versionOf('docs', 2, standby)]
  const { deps, stateOf } = await storeWith(versionOf('blog'), ...others)
  await revoke(deps, because)
  const states = [await stateOf('blog-2', 1), await stateOf('docs', 1), await stateOf('docs', 2)]
  expect(states).toEqual(['active', 'active', 'published'])
})

describe('a provisioned standby', () => {
  const provisioned = (n: number, generation: string) =>
    versionOf('blog', n, { ...standby, source: 'provisioned', generation })

  test('is promoted only where its catalogue has it enabled now', async () => {
    const { deps, stateOf } = await storeWith(
      versionOf('blog', 1, { source: 'provisioned', generation: 'a' }),
      provisioned(2, 'b'),
      provisioned(3, 'c'),
    )
    const isEnabled = ({ generation }: Versions) => generation === 'c'
    const readEnabled = async () => isEnabled
    expect(await revoke({ ...deps, readEnabled }, because)).toMatchObject({ promoted: 'blog@3' })
    expect([await stateOf('blog', 2), await stateOf('blog', 3)]).toEqual(['published', 'active'])
  })

  test('that no catalogue enables leaves the key without a version, and the revocation stands', async () => {
    const { deps, stateOf } = await storeWith(versionOf('blog'), provisioned(2, 'b'))
    const readEnabled = async () => () => false
    expect(await revoke({ ...deps, readEnabled }, because)).toMatchObject({ promoted: undefined })
    expect([await stateOf('blog', 1), await stateOf('blog', 2)]).toEqual(['revoked', 'published'])
  })

  test('is not promoted where no catalogue can be read, which is told; the revocation stands', async () => {
    const { deps, stateOf } = await storeWith(versionOf('blog'), provisioned(2, 'b'))
    const unreadable = new ServiceError('config_invalid', 'catalogue.json is not JSON')
    const readEnabled = () => Promise.reject(unreadable)
    expect(await revoke({ ...deps, readEnabled }, because)).toMatchObject({
      promoted: undefined,
      promotionError: unreadable,
    })
    expect([await stateOf('blog', 1), await stateOf('blog', 2)]).toEqual(['revoked', 'published'])
  })

  const signing = versionOf('blog', 1, { source: 'provisioned', generation: 'a' })

  test.each([
    ['a generated standby', [versionOf('blog'), versionOf('blog', 2, standby)], {}, 'blog@2'],
    ['no standby', [signing, versionOf('blog', 2, { state: 'retired' })], {}, undefined],
    ['a version that signs no more', [versionOf('blog', 1, standby), provisioned(2, 'b')], {}],
    ['nobody to be promoted', [signing, provisioned(2, 'b')], { isWithoutPromotion: true }],
  ])('%s: no catalogue is read', async (_, versions, wish, promoted?: string) => {
    const { deps } = await storeWith(...versions)
    const readEnabled = vi.fn<typeof deps.readEnabled>()
    const revoked = await revoke({ ...deps, readEnabled }, { ...because, ...wish })
    expect(revoked.promoted).toBe(promoted)
    expect(readEnabled).not.toHaveBeenCalled()
  })
})

describe('the standby', () => {
  test('signs from the same transaction on, and the audit says why', async () => {
    const { deps, store, file, clock } = await storeWith(
      versionOf('blog'),
      versionOf('blog', 2, standby),
      versionOf('blog', 3, standby),
    )
    const at = clock.now()
    const { audit } = auditOfThisTest(file)
    const batch = (version: number) => ({
      intents: [{ caller: 'web', key: 'blog', version, body: '{}' }],
      notes: [],
      checks: [],
    })
    const seen: unknown[] = []
    const whileItWaits = async () =>
      void seen.push(audit.commit(batch(1), 0).intents, audit.commit(batch(2), 0).intents)
    expect(await revoke({ ...deps, pause: whileItWaits }, because)).toMatchObject({
      promoted: 'blog@2',
    })
    expect(seen).toEqual([['version_revoked'], ['may_sign']])
    expect((await recordsOf(store)).slice(0, 2)).toMatchObject([
      { subject: 'blog@1', before: 'active', after: 'revoked', reason: 'a leak' },
      { subject: 'blog@2', before: 'published', after: 'active', reason: 'a leak', at },
    ])
    expect(await findVersion(store.connection, 'blog', 2)).toMatchObject({ activatedAt: at })
  })

  test.each<[string, readonly Versions[], Partial<Revocation>]>([
    ['nobody wants it', [versionOf('blog', 2, standby)], { isWithoutPromotion: true }],
    ['there is none', [versionOf('blog', 2, { state: 'retiring' })], {}],
    ['nobody could know it yet', [versionOf('blog', 2, { state: 'created' })], {}],
  ])('stays as it is when %s: the key has no version that signs', async (_, others, part) => {
    const { deps, stateOf, store } = await storeWith(versionOf('blog'), ...others)
    await inRegistry(store, 'apps/blog')
    const before = await stateOf('blog', 2)
    const { promoted, signing } = await revoke(deps, { ...because, ...part })
    expect([promoted, signing, await stateOf('blog', 2)]).toEqual([undefined, undefined, before])
  })

  test('is not one that somebody has suspended by name; a flag on the key says nothing about it', async () => {
    const { deps, store } = await storeWith(
      versionOf('blog'),
      versionOf('blog', 2, standby),
      versionOf('blog', 3, standby),
    )
    const at = 1
    for (const subject of [
      { kind: 'version', name: 'blog@2' },
      { kind: 'key', name: 'blog' },
      { kind: 'everything', name: '*' },
    ] as const)
      await insertSuspension(store.connection, { ...subject, reason: 'a test', at })
    expect(await revoke(deps, because)).toMatchObject({ promoted: 'blog@3', signing: 'blog@3' })
  })

  test('of a key that nobody has to know needs no publication', async () => {
    const { deps } = await storeWith(versionOf('blog'), versionOf('blog', 2, { state: 'created' }))
    expect(await revoke(deps, because)).toMatchObject({ promoted: 'blog@2' })
  })

  test('is not needed where another version signs, nor where the revoked one did not', async () => {
    const { deps } = await storeWith(
      versionOf('blog', 1, { state: 'retiring' }),
      versionOf('blog', 2),
      versionOf('blog', 3, standby),
      versionOf('docs', 1, { state: 'retiring' }),
      versionOf('docs', 2, standby),
    )
    const another = { promoted: undefined, signing: 'blog@2' }
    expect(await revoke(deps, because)).toMatchObject(another)
    expect(await revoke(deps, { ...because, version: 'docs@1' })).toMatchObject({
      promoted: undefined,
    })
  })

  test('and the revocation are stored together or not at all', async () => {
    const { deps, file, stateOf } = await storeWith(
      versionOf('blog'),
      versionOf('blog', 2, standby),
    )
    rawOfThisTest(file).exec(
      "create trigger full before insert on journal begin select raise(abort, 'no room'); end",
    )
    await expect(revoke(deps, because)).rejects.toThrow('no room')
    expect([await stateOf('blog', 1), await stateOf('blog', 2)]).toEqual(['active', 'published'])
  })
})

describe('when nothing can leave any more', () => {
  test('after the commit, no intent that relies on the version can commit', async () => {
    const { deps, file } = await storeWith(versionOf('blog'))
    const { audit } = auditOfThisTest(file)
    const batch = {
      intents: [{ caller: 'web', key: 'blog', version: 1, body: '{}' }],
      notes: [],
      checks: [],
    }
    expect(audit.commit(batch, 0).intents).toEqual(['may_sign'])
    const waiting = Promise.withResolvers<void>()
    const asked = revoke({ ...deps, pause: () => waiting.promise }, because)
    expect(await isPending(asked)).toBe(true)
    expect(audit.commit(batch, 0).intents).toEqual(['version_revoked'])
    waiting.resolve()
    await asked
  })

  test('it returns after the release window, and says from when on', async () => {
    const { deps, waits, clock } = await storeWith(versionOf('blog'))
    const { nothingAfter } = await revoke(deps, because)
    expect(waits).toEqual([expect.any(Number)])
    expect(waits[0]).toBeGreaterThanOrEqual(releaseWindowMs)
    expect(nothingAfter).toBe(clock.now())
  })

  test('it really waits', async () => {
    const { store } = await storeWith(versionOf('blog'))
    const startedMs = systemClock.monotonicMs()
    const { deps } = revocationOn(store)
    await revoke({ ...deps, clock: systemClock, pause }, because)
    expect(systemClock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(releaseWindowMs)
  })
})

test('what cannot be recorded is not done', async () => {
  const { deps, file, stateOf, waits } = await storeWith(versionOf('blog'))
  rawOfThisTest(file).exec(
    "create trigger full before insert on audit begin select raise(abort, 'no room'); end",
  )
  await expect(revoke(deps, because)).rejects.toThrow('no room')
  expect(await stateOf('blog', 1)).toBe('active')
  expect(waits).toEqual([])
})

test.each(['blog@2', 'blog-2@1', 'nobody@1'])(
  '%s does not exist: refused, with the next step',
  async (version) => {
    const { deps, store, waits } = await storeWith(versionOf('blog'))
    await expect(revoke(deps, { ...because, version })).rejects.toMatchObject({
      code: 'refused',
      message: `There is no version ${version}: see \`chancery keys list\``,
    })
    expect([await recordsOf(store), waits]).toEqual([[], []])
  },
)

test.each([
  'blog',
  'blog@',
  'blog@0',
  'blog@01',
  '@1',
  'blog@1 ',
  'blog@latest',
  'BLOG@1',
  'blog@*',
  '',
])('%j names no version', async (version) => {
  const { deps, stateOf } = await storeWith(versionOf('blog'))
  await expect(revoke(deps, { ...because, version })).rejects.toMatchObject({ code: 'usage' })
  expect(await stateOf('blog', 1)).toBe('active')
})
